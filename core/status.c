#include "core/status.h"

const char *status_name(enum status status)
{
    switch (status) {
#define STATUS_NAME(name, value, text)                                                             \
    case STATUS_##name:                                                                            \
        return #name;
        STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "UNKNOWN";
}

const char *status_text(enum status status)
{
    switch (status) {
#define STATUS_TEXT(name, value, text)                                                             \
    case STATUS_##name:                                                                            \
        return text;
        STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}
