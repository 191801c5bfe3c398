/* Sofia-SIP: msg_make copies the bytes and reads the whole message into structures in the memory
   of the message. msg_as_string prints all structures. A message that is sent is serialized and
   prepared: only what was changed is printed, the rest goes out as it came. */
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

static msg_mclass_t *extended;

/* With the headers beyond RFC 3261 that it has structures for. */
void sofia_start(void) {
  if (!extended)
    extended = sip_extend_mclass(NULL);
}

void *sofia_read(const char *data, size_t length, int all) {
  msg_t *message = msg_make(all ? extended : sip_default_mclass(), 0, data, length);
  if (!message)
    return NULL;
  if (!msg_is_complete(message) || msg_has_error(message)) {
    msg_destroy(message);
    return NULL;
  }
  return message;
}

void sofia_drop(void *message) { msg_destroy(message); }

int sofia_values(void *message, struct values *out) {
  sip_t *sip = sip_object(message);
  if (!sip || !sip->sip_via || !sip->sip_from || !sip->sip_to || !sip->sip_call_id ||
      !sip->sip_cseq)
    return -1;
  out->method = sip->sip_request ? sip->sip_request->rq_method_name : NULL;
  out->status = sip->sip_status ? sip->sip_status->st_status : 0;
  out->branch = sip->sip_via->v_branch;
  out->from_tag = sip->sip_from->a_tag;
  out->to_tag = sip->sip_to->a_tag;
  out->call_id = sip->sip_call_id->i_id;
  out->call_id_host = NULL;
  out->cseq_method = sip->sip_cseq->cs_method_name;
  out->cseq = sip->sip_cseq->cs_seq;
  out->max_forwards = sip->sip_max_forwards ? (long)sip->sip_max_forwards->mf_count : -1;
  out->has_route = sip->sip_route != NULL;
  out->body = sip->sip_payload ? sip->sip_payload->pl_len : 0;
  return 0;
}

/* How many values stand in structures of their own; -1 when one could not be read. */
long sofia_typed(void *message) {
  sip_t *sip = sip_object(message);
  long typed = 0;
  if (sip->sip_error)
    return -1;
  for (msg_header_t *header = *msg_chain_head(message); header;
       header = header->sh_common->h_succ) {
    msg_hclass_t *is = header->sh_class;
    typed += is != sip_unknown_class && is != sip_separator_class && is != sip_payload_class &&
             is != sip_request_class && is != sip_status_class;
  }
  return typed;
}

char *sofia_write(void *message, size_t *length) {
  return msg_as_string(NULL, message, NULL, 0, length);
}

void sofia_free_text(char *text) { su_free(NULL, text); }

/* Changes the message and writes it into `out`. */
size_t sofia_forward(void *handle, const char *value, char *out, size_t room) {
  msg_t *message = handle;
  sip_t *sip = sip_object(message);
  msg_iovec_t parts[64];
  size_t count, used = 0;
  if (sip->sip_status) {
    msg_header_remove(message, (msg_pub_t *)sip, (msg_header_t *)sip->sip_via);
  } else {
    sip_via_t *via = sip_via_make(msg_home(message), value);
    if (!via || !sip->sip_max_forwards)
      return 0;
    if (msg_header_insert(message, (msg_pub_t *)sip, (msg_header_t *)via) < 0)
      return 0;
    sip->sip_max_forwards->mf_count--;
    sip_fragment_clear(sip->sip_max_forwards->mf_common);
  }
  if (msg_serialize(message, (msg_pub_t *)sip) < 0 || msg_prepare(message) < 0)
    return 0;
  count = msg_iovec(message, parts, 64);
  if (count > 64)
    return 0;
  for (size_t i = 0; i < count; i++) {
    if (used + parts[i].siv_len > room)
      return 0;
    memcpy(out + used, parts[i].siv_base, parts[i].siv_len);
    used += parts[i].siv_len;
  }
  return used;
}
