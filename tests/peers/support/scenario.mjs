// Scenarios for sipp, of steps: each function gives the XML of one. The telephone calls "meet"; the
// tag and the Contact of the other side are kept from the first 200, so that any order of requests
// and answers in both directions can follow.

let names = 0;

const head = (method, uri, cseq, to) => `${method} ${uri} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
From: "Ann" <sip:+15551234@[local_ip]:[local_port]>;tag=[call_number]
To: ${to}
Call-ID: [call_id]
CSeq: ${cseq}
Max-Forwards: 70
`;

/** An SDP of PCMU: `lines` instead of the connection and the direction. */
export const sdp = (lines = 'c=IN IP4 [media_ip]', version = 1) => `v=0
o=u 1 ${version} IN IP4 [local_ip]
s=-
${lines.startsWith('c=') ? lines.split('\n')[0] : 'c=IN IP4 [media_ip]'}
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
${lines.split('\n').filter((line) => !line.startsWith('c=')).join('\n')}`.trimEnd() + '\n';

const body = (content, type = 'application/sdp') =>
  content ? `Content-Type: ${type}\nContent-Length: [len]\n\n${content}` : 'Content-Length: 0\n\n';

const message = (text, retrans) => `<send${retrans ? ' retrans="500"' : ''}><![CDATA[\n${text}]]></send>\n`;

const contact = 'Contact: <sip:ann@[local_ip]:[local_port];transport=[transport]>\n';

export const invite = ({ headers = '', content = sdp(), cseq = 1, retrans = true } = {}) =>
  message(head('INVITE', 'sip:meet@[remote_ip]:[remote_port]', `${cseq} INVITE`, '<sip:meet@[remote_ip]:[remote_port]>') + contact + headers + body(content), retrans);

/** A request of the call that stands. */
export const request = (method, cseq, { headers = '', content, type, retrans = method !== 'ACK', withContact = false } = {}) =>
  message(head(method, '[next_url]', `${cseq} ${method}`, '[$to]') + (withContact ? contact : '') + headers + body(content, type), retrans);

export const reinvite = (cseq, options = {}) => request('INVITE', cseq, { content: sdp(undefined, cseq), withContact: true, ...options });

/** A request outside of any call. */
export const outside = (method, { headers = '' } = {}) =>
  message(head(method, 'sip:meet@[remote_ip]:[remote_port]', `1 ${method}`, '<sip:meet@[remote_ip]:[remote_port]>') + contact + headers + body(), true);

const finds = (patterns, where) =>
  patterns.map((pattern) => {
    const name = `found${++names}`;
    const [header, text] = Array.isArray(pattern) ? pattern : [null, pattern];
    const place = header ? `search_in="hdr" header="${header}:"` : `search_in="${where}"`;
    return `<ereg regexp="${text}" ${place} check_it="true" assign_to="${name}"/>`;
  }).join('');

/** An answer; `has`: ["Header", "pattern"] or a pattern of the whole message, all of which must be there. */
export const answer = (code, { has = [], keep = false, optional = false } = {}) =>
  `<recv response="${code}"${keep ? ' rrs="true"' : ''}${optional ? ' optional="true"' : ''}><action>${
    keep ? '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>' : ''
  }${finds(has, 'msg')}</action></recv>\n`;

/** Answers before the final one. */
export const ringing = () => answer(100, { optional: true }) + answer(180, { optional: true }) + answer(183, { optional: true });

/** A request of the other side, and our answer to it. */
export const asked = (method, { has = [], timeout = 60000 } = {}) => `<recv request="${method}" timeout="${timeout}"><action>${finds(has, 'msg')}</action></recv>\n`;
export const reply = (status, { headers = '', content, retrans = false, withContact = false } = {}) =>
  message(`SIP/2.0 ${status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n${withContact ? contact : ''}${headers}${body(content)}`, retrans);

/** A call of theirs: what who is called needs is kept for respond() and theirs(). */
export const called = ({ has = [], timeout = 60000 } = {}) => {
  const kept = { To: 'me', From: 'to', Via: 'via', CSeq: 'cseq' };
  const keep = Object.entries(kept).map(([header, name]) => `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${name}"/>`);
  return `<recv request="INVITE" rrs="true" timeout="${timeout}"><action>${keep.join('')}${finds(has, 'msg')}</action></recv>\n`;
};
/** The answer to its INVITE, whatever came since. */
export const respond = (status, { headers = '', content, retrans = false } = {}) =>
  message(`SIP/2.0 ${status}\nVia: [$via]\nFrom: [$to]\nTo: [$me];tag=[call_number]\nCall-ID: [call_id]\nCSeq: [$cseq]\n${headers.includes('Contact:') ? '' : contact}${headers}${body(content)}`, retrans);
/** A request of who was called. */
export const theirs = (method, cseq, { headers = '', content, type, withContact = false } = {}) =>
  message(`${method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]\nFrom: [$me];tag=[call_number]\nTo: [$to]\nCall-ID: [call_id]\nCSeq: ${cseq} ${method}\nMax-Forwards: 70\n${withContact ? contact : ''}${headers}${body(content, type)}`, method !== 'ACK');

export const pause = (ms) => `<pause milliseconds="${ms}"/>\n`;

/** From INVITE to ACK. */
export const call = (options = {}, has = []) => invite(options) + ringing() + answer(200, { keep: true, has }) + request('ACK', 1);
export const bye = (cseq) => request('BYE', cseq) + answer(200);
/** A key by SIP INFO. */
export const key = (cseq, digit) => request('INFO', cseq, { content: `Signal=${digit}\nDuration=160\n`, type: 'application/dtmf-relay' }) + answer(200);

export function scenario(name, steps) {
  const text = steps.join('');
  const used = [...new Set([...text.matchAll(/assign_to="(\w+)"/g)].map((match) => match[1]))];
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="${name}">\n${text}${used.length > 0 ? `<Reference variables="${used.join(',')}"/>\n` : ''}</scenario>\n`;
}
