#include "server/settings.h"

#define KEY(text, type, member, value, low, high, choices, words)                                  \
    {                                                                                              \
        .name = (text), .kind = (type), .offset = offsetof(struct settings, member),               \
        .fallback = (value), .min = (low), .max = (high), .values = (choices), .doc = (words)      \
    }

static const struct config_group trunks = {.prefix = "phone.trunk.",
                                           .offset = offsetof(struct settings, phone_trunks),
                                           .size = sizeof(struct trunk_settings),
                                           .max = TRUNKS_MAX};

#define TRUNK(text, type, member, value, low, high, choices, words)                                \
    {                                                                                              \
        .name = "phone.trunk.NAME." text, .kind = (type),                                          \
        .offset = offsetof(struct trunk_settings, member), .fallback = (value), .min = (low),      \
        .max = (high), .values = (choices), .doc = (words), .group = &trunks                       \
    }

static const struct config_key keys[] = {
    KEY("http.port", CONFIG_INT, http_port, "8080", 0, 65535, NULL,
        "Port of plain HTTP, on loopback addresses only; 0: any free one."),
    KEY("http.origins", CONFIG_LIST, http_origins, "", 0, 0, NULL,
        "Origins allowed besides the host itself, such as https://intranet.example.org."),
    KEY("http.connections", CONFIG_INT, http_connections, "0", 0, 100000, NULL,
        "Connections at once from one address; 0: the built-in limit."),
    KEY("http.requests", CONFIG_INT, http_requests, "0", 0, 1000000, NULL,
        "Requests a minute from one address; 0: the built-in limit."),
    KEY("http.web", CONFIG_TEXT, web, "", 0, 0, NULL,
        "Folder of the browser client; empty: the one this program was built or installed with."),
    KEY("http.url", CONFIG_TEXT, http_url, "", 0, 0, NULL,
        "Where people reach this server, such as https://parley.example.org: links in mail lead "
        "there."),
    KEY("https.enabled", CONFIG_BOOL, https, "yes", 0, 0, NULL,
        "Listen for HTTPS on all addresses."),
    KEY("https.port", CONFIG_INT, https_port, "8443", 0, 65535, NULL,
        "Port of HTTPS, WSS and ICE-TCP, on all addresses; 0: any free one."),
    KEY("https.redirect_port", CONFIG_INT, https_redirect_port, "0", 0, 65535, NULL,
        "Port of plain HTTP on all addresses that only redirects to HTTPS; 0: none."),
    KEY("https.certificate", CONFIG_TEXT, https_certificate, "", 0, 0, NULL,
        "PEM file with the certificate chain; empty: a self-signed one is made. Read again on "
        "SIGHUP."),
    KEY("https.key", CONFIG_TEXT, https_key, "", 0, 0, NULL,
        "PEM file with the certificate's private key."),
    KEY("media.port", CONFIG_INT, media_port, "10000", 0, 65535, NULL,
        "The one UDP port of all media; 0: any free one."),
    KEY("media.addresses", CONFIG_LIST, media_addresses, "", 0, 0, NULL,
        "Addresses clients are told, ADDRESS or ADDRESS:PORT, behind NAT; empty: found by itself."),
    KEY("media.loopback", CONFIG_BOOL, media_loopback, "yes", 0, 0, NULL,
        "Tell clients of the loopback address too, for meetings on this machine."),
    KEY("media.tcp", CONFIG_BOOL, media_tcp, "yes", 0, 0, NULL,
        "Offer ICE-TCP on the HTTPS port to clients whose UDP is blocked."),
    KEY("media.workers", CONFIG_INT, media_workers, "0", 0, 64, NULL,
        "Media threads; 0: one per CPU this process may use."),
    KEY("media.voices", CONFIG_INT, media_voices, "3", 1, 5, NULL,
        "How many of the loudest speakers everybody hears at once."),
    KEY("meetings.adhoc", CONFIG_CHOICE, meetings_adhoc, "auto", 0, 0, "auto|off|members|anyone",
        "Who may open new meetings: nobody, members, or anyone; auto: anyone on this machine, "
        "members from elsewhere."),
    KEY("auth.domains", CONFIG_LIST, auth_domains, "", 0, 0, NULL,
        "Domains such as example.org: whoever confirms an address there may make an account; "
        "empty: by invitation only."),
    KEY("auth.fips", CONFIG_BOOL, auth_fips, "no", 0, 0, NULL,
        "Keep passwords by PBKDF2-HMAC-SHA256, an approved algorithm, instead of Argon2id; each is "
        "changed over at its next login."),
    KEY("chat.previews", CONFIG_BOOL, chat_previews, "yes", 0, 0, NULL,
        "Ask the pages that messages link to for their titles, and show them. This server then "
        "connects to public addresses, and to no others, on ports 80 and 443."),
    KEY("events.days", CONFIG_INT, events_days, "14", 1, 3650, NULL,
        "Days for which a client that was away is told what happened; after more it loads all "
        "anew."),
    KEY("files.account", CONFIG_INT, files_account, "51200", 0, 1 << 24, NULL,
        "MiB of files that one account may keep, unless an admin has said otherwise for it."),
    KEY("files.space", CONFIG_INT, files_space, "204800", 0, 1 << 24, NULL,
        "MiB of files that one space may keep, likewise."),
    KEY("mail.server", CONFIG_TEXT, mail_server, "", 0, 0, NULL,
        "Mail server that takes our letters, smtp://HOST:PORT or smtps://HOST:PORT; empty: no mail "
        "is sent, and admins hand links over."),
    KEY("mail.starttls", CONFIG_BOOL, mail_starttls, "yes", 0, 0, NULL,
        "With smtp://, send nothing without STARTTLS; no: encrypt only where it is offered."),
    KEY("mail.user", CONFIG_TEXT, mail_user, "", 0, 0, NULL,
        "User at the mail server; empty: none."),
    KEY("mail.password", CONFIG_TEXT, mail_password, "", 0, 0, NULL, "Its password."),
    KEY("mail.password_file", CONFIG_TEXT, mail_password_file, "", 0, 0, NULL,
        "File whose first line is the password, instead of mail.password."),
    KEY("mail.from", CONFIG_TEXT, mail_from, "", 0, 0, NULL,
        "Address letters come from, such as parley@example.org."),
    KEY("mail.name", CONFIG_TEXT, mail_name, "Parley", 0, 0, NULL, "Name they come from."),
    KEY("mail.authorities", CONFIG_TEXT, mail_authorities, "", 0, 0, NULL,
        "PEM file of the authorities trusted for the mail server; empty: the system's."),
    KEY("phone.enabled", CONFIG_BOOL, phone, "no", 0, 0, NULL, "Telephones may call in by SIP."),
    KEY("phone.udp", CONFIG_TEXT, phone_udp, "", 0, 0, NULL,
        "ADDRESS:PORT of SIP over UDP, such as 0.0.0.0:5060; empty: none."),
    KEY("phone.tcp", CONFIG_TEXT, phone_tcp, "", 0, 0, NULL,
        "ADDRESS:PORT of SIP over TCP; empty: none."),
    KEY("phone.tls", CONFIG_TEXT, phone_tls, "", 0, 0, NULL,
        "ADDRESS:PORT of SIP over TLS; empty: none."),
    KEY("phone.certificates", CONFIG_TEXT, phone_certificates, "", 0, 0, NULL,
        "Folder with agent.pem (key and certificate chain) and cafile.pem, for phone.tls."),
    KEY("phone.allow", CONFIG_LIST, phone_allow, "", 0, 0, NULL,
        "Addresses and networks that may call in, such as 192.0.2.0/24; all others get silence."),
    KEY("phone.numbers", CONFIG_PHRASES, phone_numbers, "", 0, 0, NULL,
        "Numbers to dial in, as the meeting page shows them, such as +49 30 1234567."),
    KEY("phone.prompts", CONFIG_TEXT, phone_prompts, "", 0, 0, NULL,
        "Folder with recordings in place of the built-in ones: en/welcome.wav, "
        "zh-CN/welcome.wav."),
    KEY("phone.first_port", CONFIG_INT, phone_first_port, "0", 0, 65535, NULL,
        "First UDP port of telephones' sound; 0: any."),
    KEY("phone.last_port", CONFIG_INT, phone_last_port, "0", 0, 65535, NULL,
        "Last UDP port of telephones' sound."),
    KEY("phone.limiter", CONFIG_BOOL, phone_limiter, "yes", 0, 0, NULL,
        "Turn down what would be too loud for a moment, of callers and for them; no: it is cut "
        "off, and crackles."),
    KEY("phone.gate", CONFIG_BOOL, phone_gate, "yes", 0, 0, NULL,
        "Callers are heard only while they speak: neither the noise of their line nor the echo of "
        "what they hear enters the meeting; no: everything they send does, music too, and each "
        "silent caller costs as much as one who speaks."),
    KEY("phone.options", CONFIG_INT, phone_options, "30", 1, 3600, NULL,
        "Seconds between two OPTIONS to each trunk; one that does not answer is out until it "
        "does."),
    KEY("phone.dns", CONFIG_TEXT, phone_dns, "", 0, 0, NULL,
        "ADDRESS:PORT of the name server that knows the trunks; empty: the system's."),
    KEY("phone.stir.certificates", CONFIG_TEXT, phone_stir, "", 0, 0, NULL,
        "Folder with the certificates (*.pem, *.crt, *.cer) of providers that sign callers' "
        "numbers "
        "(STIR/SHAKEN); a file of the name in x5u is taken, else any; empty: nothing is verified."),
    TRUNK("host", CONFIG_TEXT, host, "", 0, 0, NULL,
          "The provider, HOST or HOST:PORT; without a port its NAPTR and SRV records are asked. "
          "Empty: the trunk is not used."),
    TRUNK("transport", CONFIG_CHOICE, transport, "auto", 0, 0, "auto|udp|tcp|tls",
          "How it is spoken to; auto: as its NAPTR records say, else by UDP."),
    TRUNK("proxy", CONFIG_TEXT, proxy, "", 0, 0, NULL,
          "Outbound proxy, HOST or HOST:PORT, where everything for this trunk is sent."),
    TRUNK("user", CONFIG_TEXT, user, "", 0, 0, NULL,
          "Name by which Parley registers and answers challenges; empty: by its address alone."),
    TRUNK("password", CONFIG_TEXT, password, "", 0, 0, NULL, "The password of that name."),
    TRUNK("password_file", CONFIG_TEXT, password_file, "", 0, 0, NULL,
          "File whose first line is the password."),
    TRUNK("realm", CONFIG_TEXT, realm, "", 0, 0, NULL,
          "Only challenges of this realm are answered; empty: of any."),
    TRUNK("register", CONFIG_BOOL, registers, "yes", 0, 0, NULL,
          "Register, when there is a user, so that calls come here."),
    TRUNK("expires", CONFIG_INT, expires_s, "300", 30, 86400, NULL,
          "Seconds a registration is asked for; it is renewed before they are over."),
    TRUNK("numbers", CONFIG_PHRASES, numbers, "", 0, 0, NULL,
          "Numbers that reach Parley by this trunk, shown with phone.numbers."),
    TRUNK("language", CONFIG_CHOICE, language, "en", 0, 0, "en|zh-CN",
          "Language of the voice menu for calls by this trunk."),
    TRUNK("priority", CONFIG_INT, priority, "10", 0, 1000, NULL,
          "Calls out take the answering trunk with the lowest number."),
    TRUNK("allow", CONFIG_LIST, allow, "", 0, 0, NULL,
          "More addresses and networks its calls come from, besides those of its host."),
    TRUNK("trusted", CONFIG_BOOL, trusted, "yes", 0, 0, NULL,
          "Believe what it asserts of a caller (P-Asserted-Identity, Remote-Party-ID)."),
    TRUNK(
        "names", CONFIG_BOOL, names, "yes", 0, 0, NULL,
        "Calls out carry the name of who calls beside the number; no: some providers refuse that."),
    TRUNK("ca", CONFIG_TEXT, ca, "", 0, 0, NULL,
          "PEM file with the authorities that sign its certificate; empty: the system's."),
    KEY("phone.out.number", CONFIG_TEXT, phone_out_number, "", 0, 0, NULL,
        "Number that those who are called see, such as +49301234567."),
    KEY("phone.out.srtp", CONFIG_CHOICE, phone_out_srtp, "no", 0, 0, "no|sdes|dtls",
        "How the sound of calls out is sealed."),
    KEY("phone.out.who", CONFIG_CHOICE, phone_out_who, "hosts", 0, 0, "hosts|members",
        "Who in a meeting may call others: its hosts, or everybody in it."),
    KEY("phone.out.country", CONFIG_TEXT, phone_out_country, "", 0, 0, NULL,
        "Country code of numbers that are written without one, such as 49; empty: they are "
        "refused."),
    KEY("phone.out.allow", CONFIG_LIST, phone_out_allow, "", 0, 0, NULL,
        "Prefixes that may be called, such as +49, and hosts of SIP addresses, such as "
        "sip:example.org. Empty: nobody may be called. The longest prefix decides."),
    KEY("phone.out.deny", CONFIG_LIST, phone_out_deny, "", 0, 0, NULL,
        "Prefixes and hosts that may not be called; premium and satellite ranges are denied unless "
        "they are allowed by name."),
    KEY("phone.out.rates", CONFIG_LIST, phone_out_rates, "", 0, 0, NULL,
        "What a minute costs by prefix, such as +49=0.02, +4915=0.08."),
    KEY("phone.out.budget", CONFIG_LIST, phone_out_budget, "", 0, 0, NULL,
        "What calls of the last 24 hours may cost by prefix, such as +49=20; *=50: all together."),
    KEY("phone.out.calls", CONFIG_INT, phone_out_calls, "10", 1, 1000, NULL, "Calls out at once."),
    KEY("phone.out.hour", CONFIG_INT, phone_out_hour, "20", 1, 100000, NULL,
        "Calls out that a user, or the guests of a meeting, may make in an hour."),
    KEY("phone.out.minutes", CONFIG_INT, phone_out_minutes, "240", 1, 1440, NULL,
        "Longest call out."),
    KEY("phone.out.ring", CONFIG_INT, phone_out_ring, "45", 5, 180, NULL,
        "Seconds in which somebody must answer."),
    KEY("phone.records_days", CONFIG_INT, phone_records_days, "365", 1, 3650, NULL,
        "Days that records of calls are kept."),
    KEY("server.threads", CONFIG_INT, threads, "16", 1, 64, NULL,
        "Most threads that answer requests; each waits for its own commit, so more than there are "
        "CPUs."),
    KEY("vault.command", CONFIG_TEXT, vault_command, "", 0, 0, NULL,
        "Shell command that prints the root key, 64 hexadecimal digits, as a key service gives it; "
        "empty: it is kept in DATA/keys/root.key."),
    KEY("log.levels", CONFIG_TEXT, log, "info", 0, 0, NULL,
        "error, warn, info or debug; per topic as in info,media=debug. Read again on SIGHUP."),
    KEY("trace.participant", CONFIG_TEXT, trace_participant, "", 0, 0, NULL,
        "Id of a participant whose packets are written to DATA/traces/*.pcapng, for Wireshark; "
        "empty: nobody. Read again on SIGHUP, which begins a new file."),
    KEY("trace.decrypted", CONFIG_BOOL, trace_decrypted, "no", 0, 0, NULL,
        "Write RTP and RTCP without their encryption: what is said and shown can be played."),
    KEY("trace.megabytes", CONFIG_INT, trace_megabytes, "64", 1, 4096, NULL,
        "The trace ends when its file is that large."),
    KEY("trace.seconds", CONFIG_INT, trace_seconds, "300", 1, 86400, NULL,
        "The trace ends after that time."),
};

const struct config_table settings_table = {
    .keys = keys, .key_count = sizeof keys / sizeof keys[0], .size = sizeof(struct settings)};
