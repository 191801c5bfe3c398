/* libosip2: osip_message_parse reads the whole message into structures; headers that it has no
   structure for stay text. osip_message_to_str writes them. */
#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

void osip_start(void) { parser_init(); }

void *osip_read(const char *data, size_t length) {
  osip_message_t *message = NULL;
  if (osip_message_init(&message) != 0)
    return NULL;
  if (osip_message_parse(message, data, length) != 0) {
    osip_message_free(message);
    return NULL;
  }
  return message;
}

void osip_drop(void *message) { osip_message_free(message); }

static const char *parameter(osip_list_t *list, char *name) {
  osip_generic_param_t *found = NULL;
  osip_uri_param_get_byname(list, name, &found);
  return found ? found->gvalue : NULL;
}

int osip_values(void *handle, struct values *out) {
  osip_message_t *message = handle;
  osip_via_t *via = osip_list_get(&message->vias, 0);
  osip_header_t *hops = NULL;
  osip_body_t *body = osip_list_get(&message->bodies, 0);
  if (!via || !message->from || !message->to || !message->call_id || !message->cseq)
    return -1;
  out->method = message->sip_method;
  out->status = message->status_code;
  out->branch = parameter(&via->via_params, "branch");
  out->from_tag = parameter(&message->from->gen_params, "tag");
  out->to_tag = parameter(&message->to->gen_params, "tag");
  out->call_id = message->call_id->number;
  out->call_id_host = message->call_id->host;
  out->cseq_method = message->cseq->method;
  out->cseq = strtoul(message->cseq->number, NULL, 10);
  osip_message_get_max_forwards(message, 0, &hops);
  out->max_forwards = hops ? strtol(hops->hvalue, NULL, 10) : -1;
  out->has_route = osip_list_size(&message->routes) > 0;
  out->body = body ? body->length : 0;
  return 0;
}

/* How many values stand in structures of their own. */
size_t osip_typed(void *handle) {
  osip_message_t *message = handle;
  osip_list_t *lists[] = {&message->accepts, &message->allows, &message->authorizations,
                          &message->contacts, &message->record_routes, &message->routes,
                          &message->vias};
  size_t typed = 0;
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    typed += osip_list_size(lists[i]);
  return typed + (message->call_id != NULL) + (message->content_length != NULL) +
         (message->content_type != NULL) + (message->cseq != NULL) + (message->from != NULL) +
         (message->to != NULL);
}

/* A message that has just been read keeps its text: this makes it forget it. */
void osip_forget(void *handle) { osip_message_force_update((osip_message_t *)handle); }

char *osip_write(void *message, size_t *length) {
  char *text = NULL;
  return osip_message_to_str(message, &text, length) == 0 ? text : NULL;
}

void osip_free_text(char *text) { osip_free(text); }

int osip_forward(void *handle, const char *value) {
  osip_message_t *message = handle;
  osip_header_t *hops = NULL;
  osip_via_t *via = NULL;
  char number[12];
  if (message->status_code != 0) {
    via = osip_list_get(&message->vias, 0);
    osip_list_remove(&message->vias, 0);
    osip_via_free(via);
  } else {
    if (osip_via_init(&via) != 0 || osip_via_parse(via, value) != 0)
      return -1;
    osip_list_add(&message->vias, via, 0);
    osip_message_get_max_forwards(message, 0, &hops);
    if (!hops)
      return -1;
    snprintf(number, sizeof number, "%ld", strtol(hops->hvalue, NULL, 10) - 1);
    osip_free(hops->hvalue);
    hops->hvalue = osip_strdup(number);
  }
  return osip_message_force_update(message);
}
