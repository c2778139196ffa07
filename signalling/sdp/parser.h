/*
 * signalling/sdp/parser.h - what the two halves of the parser share: sdp.c walks the
 * lines, attribute.c types the attributes.
 */
#ifndef SIGNALLING_SDP_PARSER_H
#define SIGNALLING_SDP_PARSER_H

#include "signalling/sdp/sdp.h"

struct desc_parser {
    struct arena *arena;
    struct desc *desc;
    struct desc_media *media;     /* NULL at session level */
    struct desc_section *section; /* of media, or of desc */
    uint32_t line;
    struct desc_error *error;
};

/* Writes "line N: ..." and returns `status`. */
enum status parser_fail(struct desc_parser *parser, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The next word up to a space, NUL-terminated in place; NULL at the end. */
char *parser_word(char **cursor);
/* Decimal digits only, 0..max. */
bool parser_number(const char *text, uint32_t max, uint32_t *ret_value);
/* "IN IP4 192.0.2.1"; false when malformed. */
bool parser_address(char *text, const char **ret_address, bool *ret_ip6);
/* The line "a=`text`"; keeps pointers into it. */
enum status parser_attribute(struct desc_parser *parser, char *text);

#endif
