/*
 * tests/support/replay.c - feeds each file of the folders named on the command
 * line to a fuzz target: the corpus as a unit test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    struct stat info;
    uint8_t *data = NULL;
    size_t length = 0;
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)) {
        data = malloc((size_t)info.st_size + 1);
        if (data != NULL)
            length = fread(data, 1, (size_t)info.st_size, file);
    }
    fclose(file);
    if (data == NULL)
        return 0;
    /* An exact-size block, so that the sanitizer sees a read past the end. */
    uint8_t *exact = malloc(length > 0 ? length : 1);
    if (exact != NULL) {
        for (size_t i = 0; i < length; i++)
            exact[i] = data[i];
        LLVMFuzzerTestOneInput(exact, length);
    }
    free(exact);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder == NULL) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            char path[4096];
            if (snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name) < (int)sizeof path &&
                replay_file(path) > 0)
                replayed++;
        }
        closedir(folder);
    }
    printf("%d inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
