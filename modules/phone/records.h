/*
 * modules/phone/records.h - a record of every telephone call, and the limits that are counted from
 * them: so counts survive a restart.
 *
 * A call out is written before anything is sent, in the transaction that counts; a refused one is
 * written too. Until it ends it costs what it may cost at most, so that calls at the same time
 * cannot spend a budget twice.
 *
 * Threads: request pool; every call blocks on the database. Times are clock_wall_ms(); money is
 * in millionths of the operator's unit. Besides those named: errors as db_write.
 */
#ifndef MODULES_PHONE_RECORDS_H
#define MODULES_PHONE_RECORDS_H

#include "core/arena.h"
#include "core/crypto.h"
#include "core/json.h"
#include "modules/phone/dialing.h"
#include "storage/db.h"

enum {
    RECORDS_PAGE_MAX = 2500, /* rows of one export: half a megabyte of CSV */
    RECORDS_PRUNE_MAX = 500, /* rows removed in one transaction */
    RECORDS_HOUR_MS = 3600000,
    RECORDS_DAY_MS = 86400000,
    RECORDS_MINUTE_MS = 60000,
};

enum record_direction { RECORD_IN, RECORD_OUT };

/* One call. Texts are borrowed. */
struct record {
    const char *id; /* CRYPTO_ID_CHARS */
    enum record_direction direction;
    const char *meeting;              /* NULL: it reached none */
    const char *caller;               /* whom it is counted for; NULL: nobody */
    const char *number;               /* the other side; "" hidden */
    const char *prefix;               /* of the budget */
    int64_t rate, cost;               /* a minute; in all, or at most */
    int64_t started, answered, ended; /* 0: not */
    const char *codec;                /* NULL: none was agreed on */
    int64_t mos;                      /* hundredths, E-model (ITU-T G.107); 0: nothing was heard */
    int64_t code;                     /* SIP status that ended it; 0: none */
    const char *reason;               /* NULL while it runs */
};

struct records_limits {
    int64_t calls;   /* out, at once */
    int64_t hour;    /* of one caller in the last hour */
    int64_t minutes; /* of one call */
};

/*
 * Whether the call out may begin: then its record is there, and *ret_length_ms is how long it may
 * last, by the limit and by what is left of the budgets. Refused: a record that says so.
 * *ret_answer: what is known already (DIALING_OK: check), then the answer; the status says whether
 * the database could be asked.
 */
MUST_USE enum status records_begin_out(struct db *db, const struct record *record,
                                       const struct dialing_target *target,
                                       const struct records_limits *limits,
                                       enum dialing_answer *ret_answer, int64_t *ret_length_ms);
/* Writes a record as it is now; an earlier one of the same id is replaced, unless that one has
 * ended. The cost of a call out is made from rate, answered and ended. */
MUST_USE enum status records_write(struct db *db, const struct record *record);
/* At the start: what ran when the server went down has ended, unseen. */
MUST_USE enum status records_close_lost(struct db *db, int64_t now_ms);
/* Begun from `from` until before `until`, oldest first: struct record in the arena,
 * RECORDS_PAGE_MAX at most. */
MUST_USE enum status records_list(struct db *db, int64_t from, int64_t until, struct arena *arena,
                                  struct json_list *ret_records);
/* As CSV (RFC 4180) with a heading line; no field of it is a formula to a spreadsheet. Errors:
 * STATUS_NO_MEMORY. */
MUST_USE enum status records_csv(const struct json_list *records, struct arena *arena,
                                 const char **ret_csv);
/* Removes those that ended before before_ms. */
MUST_USE enum status records_prune(struct db *db, int64_t before_ms, int64_t *ret_removed);

/* ---- inside: for tests ---- */

/* The field as it stands in a line of CSV: quoted, formulas defused by an apostrophe. */
const char *records_field(const char *text, struct arena *arena);

#endif
