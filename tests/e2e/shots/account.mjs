// The account page as the photographs show it: what REST answers.
const SEED = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const CODES = ['k4mp-x7qa-2vtn-bo5e', 'q2wd-7hsk-yr3l-m6jc', 'b5xn-e4tu-vw2o-7pza', 'h3ry-s6fd-k2mg-qt4c', 'z7la-p5vn-x3ei-uo2b',
  'c4kq-m2hw-7rts-6yfn', 'w6jd-o3bx-l5ga-4zpe', 't2vu-r7ni-s4qk-hm3y', 'f5ca-y6lw-2ozp-d7xb', 'n3ge-q4jt-v5hr-2ksm'];

const passkeys = {
  en: ['MacBook', 'Security key (blue)'],
  'zh-CN': ['笔记本电脑', '安全密钥（蓝色）'],
};

/** The answer to a request below /api/v1/, or undefined; `shown` is the page's name. */
export function accountAnswer(method, path, shown, language) {
  if (path === 'session' && method === 'POST')
    return [401, { code: 'second_factor', detail: '', second: { challenge: 'x', totp: true, passkeys: ['AAAA'] } }];
  if (path === 'me/factors') {
    if (shown === 'account' || shown === 'account-app') return [200, { totp: 0, codes: 0, passkeys: [] }];
    const items = passkeys[language].map((name, i) => ({
      id: `k${i}`, name, suspect: i === 1, created: Date.UTC(2025, 9, 3), used: Date.UTC(2025, 10, 19, 8, 30),
    }));
    return [200, { totp: Date.UTC(2025, 9, 2, 9), codes: 8, passkeys: items }];
  }
  if (path === 'me/totp' && method === 'POST')
    return [201, { secret: SEED, uri: `otpauth://totp/meet.example.org:maya%40example.org?secret=${SEED}&issuer=meet.example.org&algorithm=SHA1&digits=6&period=30` }];
  if (path === 'me/push') return [200, { key: 'BAAA', on: shown === 'account-push-on', texts: true }];
  if (path === 'me/codes') return [201, { codes: CODES }];
  return undefined;
}
