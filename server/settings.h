/*
 * server/settings.h - every key of the configuration, in one table.
 */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "core/config.h"
#include "signalling/sip/trunk.h"

struct settings {
    int64_t http_port, https_port, https_redirect_port;
    bool https;
    const char *https_certificate, *https_key;
    struct config_list http_origins;
    int64_t http_connections, http_requests;
    const char *web;
    int64_t media_port, media_workers, media_voices;
    struct config_list media_addresses;
    bool media_loopback, media_tcp;
    bool phone, phone_limiter, phone_gate;
    const char *phone_udp, *phone_tcp, *phone_tls, *phone_certificates, *phone_prompts;
    struct config_list phone_allow, phone_numbers;
    int64_t phone_first_port, phone_last_port, phone_options;
    const char *phone_dns, *phone_stir;
    struct config_items phone_trunks; /* struct trunk_settings */
    int64_t meetings_adhoc;           /* enum adhoc */
    const char *phone_out_number, *phone_out_country;
    int64_t phone_out_srtp; /* enum media_leg_security_kind */
    int64_t phone_out_who;  /* 0 hosts, 1 members */
    struct config_list phone_out_allow, phone_out_deny, phone_out_rates, phone_out_budget;
    int64_t phone_out_calls, phone_out_hour, phone_out_minutes, phone_out_ring;
    int64_t phone_records_days;
    int64_t threads;
    struct config_list auth_domains;
    const char *http_url;
    const char *mail_server, *mail_user, *mail_password, *mail_password_file, *mail_from,
        *mail_name, *mail_authorities;
    bool mail_starttls;
    bool auth_fips;
    bool chat_previews;
    int64_t events_days;
    int64_t files_account, files_space; /* MiB */
    const char *vault_command;
    const char *log;
    const char *trace_participant;
    bool trace_decrypted;
    int64_t trace_megabytes, trace_seconds;
};

extern const struct config_table settings_table;

#endif
