/*
 * validate.h - whether a message has what its type wants, in its version and with its ResultCode.
 *
 * What a row's marks say (roaming/object.h) is looked up in the field tables; the conditions
 * between members are here, by type. We are strict with what we send and take what can be used:
 * members that some server is known to leave out are ROAM_TOLERATED. The bare answer that
 * roam_answer_init makes is good as a refusal. Pure.
 */
#pragma once

#include "roaming/message.h"

enum roam_side { ROAM_RECEIVED, ROAM_SENT };

/* ERR_INVALID with *fault if something is missing, too much or of a wrong size: MalformedRequest,
 * FrameSizeError, InvalidFPort or InvalidProtocolVersion with a description that names the member.
 */
enum err roam_validate(const struct roam_message *message, enum roam_side side, struct arena *arena,
                       struct roam_fault *fault) MUST_CHECK;
