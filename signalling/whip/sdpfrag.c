#include "signalling/whip/sdpfrag.h"

#include <string.h>

/* Copies the value of "a=NAME:" when the line is one; a second, different one is refused. */
static enum status take(const char *line, size_t length, const char *name, char *into, size_t size)
{
    size_t prefix = strlen(name);
    if (length < prefix || memcmp(line, name, prefix) != 0)
        return STATUS_OK;
    const char *value = line + prefix;
    size_t value_length = length - prefix;
    if (value_length == 0 || value_length >= size)
        return STATUS_INVALID;
    if (into[0] != '\0' && (strlen(into) != value_length || memcmp(into, value, value_length) != 0))
        return STATUS_INVALID;
    memcpy(into, value, value_length);
    into[value_length] = '\0';
    return STATUS_OK;
}

static bool printable(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            return false;
    return true;
}

enum status sdpfrag_read(const char *text, size_t length, struct sdpfrag *ret_frag)
{
    struct sdpfrag frag = {"", ""};
    if (length > SDPFRAG_MAX)
        return STATUS_INVALID;
    const char *end = text + length;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline != NULL ? newline + 1 : end;
        size_t line = (size_t)((newline != NULL ? newline : end) - text);
        if (line > 0 && text[line - 1] == '\r')
            line--;
        if (!printable(text, line) || (line > 0 && (line < 2 || text[1] != '=')))
            return STATUS_INVALID;
        if (take(text, line, "a=ice-ufrag:", frag.ufrag, sizeof frag.ufrag) != STATUS_OK ||
            take(text, line, "a=ice-pwd:", frag.pwd, sizeof frag.pwd) != STATUS_OK)
            return STATUS_INVALID;
        text = next;
    }
    *ret_frag = frag;
    return STATUS_OK;
}

/* Mids of the tracks and slots, each after a space; NULL without memory. */
static const char *mids_text(const struct media_transport_spec *spec, struct arena *arena)
{
    const char *mids = "";
    for (size_t i = 0; i < spec->track_count && mids != NULL; i++)
        mids = arena_printf(arena, "%s %s", mids, spec->tracks[i].mid);
    for (size_t i = 0; i < spec->slot_count && mids != NULL; i++)
        mids = arena_printf(arena, "%s %s", mids, spec->slots[i].mid);
    return mids;
}

static const char *candidates_text(const struct media_local *local, struct arena *arena)
{
    const char *lines = "";
    for (size_t i = 0; i < local->candidate_count && lines != NULL; i++) {
        const struct media_candidate *candidate = &local->candidates[i];
        lines = arena_printf(arena, "%sa=candidate:%s 1 %s %u %s %u typ host%s\r\n", lines,
                             candidate->foundation, candidate->tcp ? "tcp" : "udp",
                             candidate->priority, candidate->address, candidate->port,
                             candidate->tcp ? " tcptype passive" : "");
    }
    return lines;
}

enum status sdpfrag_write(const struct media_transport_spec *spec, const struct media_local *local,
                          struct arena *arena, const char **ret_text)
{
    bool sends = spec->track_count > 0;
    const char *mid = sends ? spec->tracks[0].mid : spec->slots[0].mid;
    enum media_kind kind = sends ? spec->tracks[0].kind : spec->slots[0].kind;
    uint8_t type = sends ? spec->tracks[0].payloads[0].type : spec->slots[0].payloads[0].type;
    const char *mids = mids_text(spec, arena), *candidates = candidates_text(local, arena);
    if (mids == NULL || candidates == NULL)
        return STATUS_NO_MEMORY;
    const char *text = arena_printf(arena,
                                    "a=ice-lite\r\na=ice-options:trickle\r\na=group:BUNDLE%s\r\n"
                                    "m=%s 9 UDP/TLS/RTP/SAVPF %u\r\na=mid:%s\r\n"
                                    "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n%sa=end-of-candidates\r\n",
                                    mids, kind == MEDIA_AUDIO ? "audio" : "video", type, mid,
                                    spec->ice.local_ufrag, spec->ice.local_pwd, candidates);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    *ret_text = text;
    return STATUS_OK;
}
