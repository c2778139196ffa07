#include "tests/support/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { FILE_PATH_MAX = 512 };

char *file_load(const char *path, size_t *ret_length)
{
    char whole[FILE_PATH_MAX];
    struct stat info;
    snprintf(whole, sizeof whole, "%s/%s", TEST_VECTORS, path);
    FILE *file = fopen(whole, "rb");
    if (file == NULL || fstat(fileno(file), &info) != 0)
        fail_msg("cannot read %s", whole);
    char *bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    bytes[info.st_size] = '\0';
    *ret_length = (size_t)info.st_size;
    return bytes;
}

size_t file_each(const char *folder, const char *ending,
                 void (*fn)(void *context, const char *name, const char *bytes, size_t length),
                 void *context)
{
    char path[FILE_PATH_MAX];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", TEST_VECTORS, folder);
    DIR *directory = opendir(path);
    if (directory == NULL)
        fail_msg("cannot read %s", path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (length < tail || strcmp(entry->d_name + length - tail, ending) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *bytes = file_load(path, &length);
        fn(context, entry->d_name, bytes, length);
        free(bytes);
        count++;
    }
    closedir(directory);
    return count;
}
