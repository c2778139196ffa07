#include "json.h"
#include "util.h"

static const char *ws(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : NULL;
}

static const char *skip_value(const char *p)
{
    p = ws(p);
    if (*p == '"')
        return skip_string(p);
    if (*p != '{' && *p != '[')
        return p + strcspn(p, ",]} \t\r\n");
    int depth = 0;
    while (p && *p) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if ((*p == '}' || *p == ']') && !--depth)
            return p + 1;
        p++;
    }
    return NULL;
}

static const char *find(const char *p, const char *path)
{
    while (p && *path) {
        size_t n = strcspn(path, ".");
        p = ws(p);
        if (*p != '{')
            return NULL;
        for (p = ws(p + 1);;) {
            if (*p != '"')
                return NULL;
            const char *key = p + 1, *after = skip_string(p);
            if (!after)
                return NULL;
            p = ws(after);
            if (*p != ':')
                return NULL;
            p = ws(p + 1);
            if ((size_t)(after - 1 - key) == n && !memcmp(key, path, n))
                break;
            p = skip_value(p);
            if (!p)
                return NULL;
            p = ws(p);
            if (*p != ',')
                return NULL;
            p = ws(p + 1);
        }
        path += n + (path[n] == '.');
    }
    return p;
}

static size_t put_utf8(char *o, unsigned c)
{
    if (c < 0x80) {
        o[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        o[0] = (char)(0xc0 | c >> 6);
        o[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    o[0] = (char)(0xe0 | c >> 12);
    o[1] = (char)(0x80 | (c >> 6 & 63));
    o[2] = (char)(0x80 | (c & 63));
    return 3;
}

bool json_str(const char *json, const char *path, char *out, size_t cap)
{
    const char *p = find(json, path);
    size_t n = 0;
    if (!p)
        return false;
    if (*p != '"') {
        const char *e = skip_value(p);
        if (!e || (size_t)(e - p) >= cap)
            return false;
        memcpy(out, p, (size_t)(e - p));
        out[e - p] = 0;
        return true;
    }
    for (p++; *p && *p != '"' && n + 4 < cap; p++) {
        if (*p != '\\') {
            out[n++] = *p;
            continue;
        }
        static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
        const char *f = strchr(from, *++p);
        if (*p == 'u') {
            char hex[5] = "";
            for (int i = 0; i < 4 && p[1]; i++)
                hex[i] = *++p;
            n += put_utf8(out + n, (unsigned)strtoul(hex, NULL, 16));
        } else
            out[n++] = f && *p ? to[f - from] : *p;
    }
    out[n] = 0;
    return *p == '"';
}

bool json_u64(const char *json, const char *path, unsigned long long *out)
{
    char t[64], *e;
    if (!json_str(json, path, t, sizeof t))
        return false;
    *out = strtoull(t, &e, 10);
    return e != t;
}

char *json_quote(const char *s)
{
    char *o = malloc(strlen(s) * 6 + 3), *p = o;
    *p++ = '"';
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            *p++ = '\\';
            *p++ = *s;
        } else if ((unsigned char)*s < 0x20)
            p += sprintf(p, "\\u%04x", (unsigned char)*s);
        else
            *p++ = *s;
    }
    *p++ = '"';
    *p = 0;
    return o;
}
