/*
 * modules/spaces/rights.h - who may do what in a space: one table of role × right, asked by REST,
 * the gateway and links alike.
 * Any thread.
 */
#ifndef MODULES_SPACES_RIGHTS_H
#define MODULES_SPACES_RIGHTS_H

#include "core/status.h"

#include <stdbool.h>

/* Rising: each may what those before it may. */
enum spaces_role { SPACES_VIEWER, SPACES_EDITOR, SPACES_OWNER, SPACES_ROLES };

enum spaces_kind {
    SPACES_SPACE,  /* a name, owners, editors, viewers */
    SPACES_GROUP,  /* a conversation of some */
    SPACES_DIRECT, /* of two, for good */
    SPACES_KINDS,
};

enum spaces_right {
    SPACES_READ,    /* contents, messages, members; be in a meeting; what is one's own: read mark,
                       favourite, mute, folder, to leave */
    SPACES_COMMENT, /* write messages, react */
    SPACES_HISTORY, /* earlier texts of messages, earlier versions of files */
    SPACES_WRITE,   /* add, change, move, delete files; pin; record; annotate */
    SPACES_MEET,    /* start a meeting, share into one */
    SPACES_INVITE,  /* bring people in, up to one's own role, by name, address or link */
    SPACES_LINK,    /* make links that show contents, within the link policy */
    SPACES_MANAGE,  /* name, link policy, roles, removing people, others' messages, transfer */
    SPACES_ARCHIVE, /* and take out of the archive */
    SPACES_DELETE,
    SPACES_RIGHTS,
};

/* "viewer"; "group"; "read": stable names. */
const char *spaces_role_name(enum spaces_role role);
const char *spaces_kind_name(enum spaces_kind kind);
const char *spaces_right_name(enum spaces_right right);
/* False (and *ret untouched) for any other text. */
bool spaces_role_of(const char *name, enum spaces_role *ret_role);
bool spaces_kind_of(const char *name, enum spaces_kind *ret_kind);

/* Whether a member with this role may, in a space of this kind, archived or not. */
bool spaces_may(enum spaces_role role, enum spaces_kind kind, bool archived,
                enum spaces_right right);

#endif
