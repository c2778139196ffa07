#include "server/docs.h"

#include "server/settings.h"
#include "signalling/api/api.h"
#include "signalling/gateway/commands.h"

static void commands_print(FILE *stream)
{
    size_t count;
    const struct command_info *commands = commands_list(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "### `%s`\n\n", commands[i].type);
        json_table_print(commands[i].args, stream);
        if (commands[i].result != NULL)
            fprintf(stream, "\nResult: %s\n", commands[i].result);
        fputc('\n', stream);
    }
}

static void dispatches_print(FILE *stream)
{
    for (const struct msg_dispatch *dispatch = msg_dispatches; dispatch->type != NULL; dispatch++) {
        fprintf(stream, "### `%s`\n\n", dispatch->type);
        if (dispatch->doc != NULL)
            fprintf(stream, "%s\n\n", dispatch->doc);
        if (dispatch->table != NULL)
            json_table_print(dispatch->table, stream);
        fputc('\n', stream);
    }
}

void docs_print_protocol(FILE *stream)
{
    fputs(
        "# The protocol\n\n"
        "Printed by `./dev docs` from the tables that the server decodes and encodes with; do not "
        "edit.\nHow frames, sequence numbers and resuming work is told in "
        "[design/gateway.md](design/gateway.md).\n\n## identify\n\n",
        stream);
    json_table_print(&msg_identify_table, stream);
    fputs("\n## Commands\n\nEach is answered by a `reply`.\n\n", stream);
    commands_print(stream);
    fputs("## Dispatches\n\n", stream);
    dispatches_print(stream);
    fputs(
        "## REST\n\nAlso at `/api/openapi.json`. What goes wrong is told as RFC 9457 problem.\n\n",
        stream);
    api_print_protocol(stream);
}

void docs_print_manual(FILE *stream)
{
    fputs(
        ".TH PARLEY 1 \"\" \"parley " PARLEY_VERSION "\"\n"
        ".SH NAME\nparley \\- meetings and team spaces on a server of your own\n"
        ".SH SYNOPSIS\n.B parley serve\n[\\-\\-config FILE] [\\-\\-data DIR] [\\-\\-set "
        "KEY=VALUE ...]\n.br\n.B parley\n.I WORD WORD\n[\\-\\-data DIR] [\\-\\-OPTION VALUE ...]\n"
        ".SH SIGNALS\n.TP\n.B SIGTERM, SIGINT\nNo new joins; clients are told to come back; exit.\n"
        ".TP\n.B SIGHUP\nReads the configuration's log levels, the packet trace and the "
        "certificates again.\n"
        ".TP\n.B SIGUSR1\nSwitches debug logging on and off.\n"
        ".SH EXIT STATUS\n0 after a signal; 2 when the configuration or the machine does not allow "
        "a start.\n"
        ".SH KEYS\n",
        stream);
    config_print_manual(&settings_table, stream);
}
