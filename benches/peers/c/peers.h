/* What a message is asked for. Texts are of the message and end in NUL; an absent one is NULL. */
#include <stddef.h>

struct values {
  const char *method; /* of a request */
  int status;         /* of a response */
  const char *branch, *from_tag, *to_tag;
  const char *call_id, *call_id_host; /* the second is what stands behind the @, if they part it */
  const char *cseq_method;
  unsigned long cseq;
  long max_forwards; /* -1: absent */
  int has_route;
  size_t body;
};
