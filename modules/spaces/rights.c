#include "modules/spaces/rights.h"

#include <stddef.h>
#include <string.h>

static const char *const role_names[SPACES_ROLES] = {"viewer", "editor", "owner"};
static const char *const kind_names[SPACES_KINDS] = {"space", "group", "direct"};

/* A conversation of two has two owners, and neither can make it anything else. */
static const struct {
    const char *name;
    bool role[SPACES_ROLES]; /* viewer, editor, owner */
    bool kind[SPACES_KINDS]; /* space, group, direct */
    bool archived;
} matrix[SPACES_RIGHTS] = {
    [SPACES_READ] = {"read", {true, true, true}, {true, true, true}, true},
    [SPACES_COMMENT] = {"comment", {true, true, true}, {true, true, true}, false},
    [SPACES_HISTORY] = {"history", {false, true, true}, {true, true, true}, true},
    [SPACES_WRITE] = {"write", {false, true, true}, {true, true, true}, false},
    [SPACES_MEET] = {"meet", {false, true, true}, {true, true, true}, false},
    [SPACES_INVITE] = {"invite", {false, true, true}, {true, true, false}, false},
    [SPACES_LINK] = {"link", {false, true, true}, {true, true, false}, false},
    [SPACES_MANAGE] = {"manage", {false, false, true}, {true, true, false}, false},
    [SPACES_ARCHIVE] = {"archive", {false, false, true}, {true, true, false}, true},
    [SPACES_DELETE] = {"delete", {false, false, true}, {true, true, false}, true},
};

const char *spaces_role_name(enum spaces_role role)
{
    return role_names[role];
}

const char *spaces_kind_name(enum spaces_kind kind)
{
    return kind_names[kind];
}

const char *spaces_right_name(enum spaces_right right)
{
    return matrix[right].name;
}

static bool name_find(const char *const *names, size_t count, const char *name, size_t *ret_index)
{
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool spaces_role_of(const char *name, enum spaces_role *ret_role)
{
    size_t index;
    if (!name_find(role_names, SPACES_ROLES, name, &index))
        return false;
    *ret_role = (enum spaces_role)index;
    return true;
}

bool spaces_kind_of(const char *name, enum spaces_kind *ret_kind)
{
    size_t index;
    if (!name_find(kind_names, SPACES_KINDS, name, &index))
        return false;
    *ret_kind = (enum spaces_kind)index;
    return true;
}

bool spaces_may(enum spaces_role role, enum spaces_kind kind, bool archived,
                enum spaces_right right)
{
    return role < SPACES_ROLES && kind < SPACES_KINDS && right < SPACES_RIGHTS &&
           matrix[right].role[role] && matrix[right].kind[kind] &&
           (!archived || matrix[right].archived);
}
