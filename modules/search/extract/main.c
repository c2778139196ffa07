/*
 * parley-text KIND: the text of the file on stdin, which may be hostile, as UTF-8 on stdout.
 *
 * KIND is `text` (Markdown too), `html` or `pdf`; that is what Debian's pdftotext becomes of this
 * process, under the same limits. Before the first byte is read the process gives up
 * all that confine.h says.
 * Whoever starts it (modules/search/reader.h) gives it files in memory for stdin and stdout.
 * Exit: 0; 1 the file cannot be read; 2 the arguments; 3 this system cannot confine it.
 */
#include "modules/search/extract/confine.h"
#include "modules/search/html.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PDFTOTEXT "/usr/bin/pdftotext"

/* ---- its work ---- */

static bool all_write(const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t more = write(STDOUT_FILENO, bytes + done, length - done);
        if (more <= 0)
            return false;
        done += (size_t)more;
    }
    return true;
}

static int convert(bool is_html)
{
    off_t length = lseek(STDIN_FILENO, 0, SEEK_END);
    char *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    size_t got = 0;
    for (ssize_t more = 1; bytes != NULL && more > 0; got += (size_t)(more > 0 ? more : 0))
        more = pread(STDIN_FILENO, bytes + got, (size_t)length - got, (off_t)got);
    if (bytes == NULL || got != (size_t)length)
        return 1;
    if (is_html)
        got = html_text(bytes, got);
    bool written = all_write(bytes, got);
    free(bytes);
    return written ? 0 : 1;
}

int main(int argc, char **argv)
{
    static char *const pdf[] = {"pdftotext", "-q", "-nopgbrk", "-enc", "UTF-8", "-", "-", NULL};
    static char *const environment[] = {NULL};
    const char *kind = argc == 2 ? argv[1] : "";
    bool is_pdf = strcmp(kind, "pdf") == 0, is_html = strcmp(kind, "html") == 0;
    if (!is_pdf && !is_html && strcmp(kind, "text") != 0) {
        fputs("usage: parley-text text|html|pdf <FILE >TEXT\n", stderr);
        return 2;
    }
    if (!confine(is_pdf ? PDFTOTEXT : NULL))
        return 3;
    if (!is_pdf)
        return convert(is_html);
    execve(PDFTOTEXT, pdf, environment);
    return 1;
}
