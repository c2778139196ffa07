// The icon set: 24 × 24, drawn as strokes of 1.75, coloured by the text around them.
import type { JSX } from 'preact';

const paths = {
  microphone: (
    <>
      <rect x="9" y="3" width="6" height="11" rx="3" />
      <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
    </>
  ),
  microphoneOff: (
    <>
      <path d="M15 10.5V6a3 3 0 0 0-5.7-1.3M9 9v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.4 12.4c.1-.3.1-.6.1-.9M12 18v3M4 4l16 16" />
    </>
  ),
  camera: (
    <>
      <rect x="2.75" y="6" width="12.5" height="12" rx="3" />
      <path d="m15.25 10.5 4.4-2.7a1 1 0 0 1 1.6.8v6.8a1 1 0 0 1-1.6.8l-4.4-2.7" />
    </>
  ),
  cameraOff: (
    <>
      <path d="M9.5 6h2.75a3 3 0 0 1 3 3v2.5l4.4-2.7a1 1 0 0 1 1.6.8v5.8M15.2 15.4A3 3 0 0 1 12.3 18H5.75a3 3 0 0 1-3-3V9A3 3 0 0 1 5.5 6M4 4l16 16" />
    </>
  ),
  screen: (
    <>
      <rect x="2.75" y="4" width="18.5" height="13" rx="2.5" />
      <path d="M8 20.5h8M12 13.5V8m0 0-2.5 2.5M12 8l2.5 2.5" />
    </>
  ),
  screenOff: (
    <>
      <rect x="2.75" y="4" width="18.5" height="13" rx="2.5" />
      <path d="M8 20.5h8m-6.2-7.8 4.4-4.4m0 4.4L9.8 8.3" />
    </>
  ),
  hand: (
    <path d="M7.5 12.5V6.2a1.45 1.45 0 0 1 2.9 0v4.6m0-6a1.45 1.45 0 0 1 2.9 0v6m0-4.6a1.45 1.45 0 0 1 2.9 0v5.3m0-2.7a1.4 1.4 0 0 1 2.8 0v5.4A6.3 6.3 0 0 1 12.7 21c-2.6 0-4.1-1-5.4-3.2l-2.9-4.9a1.4 1.4 0 0 1 2.3-1.6l1.6 2.2" />
  ),
  smile: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5v.5M15 9.5v.5" />
    </>
  ),
  people: (
    <>
      <circle cx="9" cy="8" r="3.5" />
      <path d="M2.75 19.5a6.25 6.25 0 0 1 12.5 0M15.5 4.9a3.5 3.5 0 0 1 0 6.2M17.6 14.2a6.2 6.2 0 0 1 3.65 5.3" />
    </>
  ),
  person: (
    <>
      <circle cx="12" cy="8" r="4" />
      <path d="M4.75 20.5a7.25 7.25 0 0 1 14.5 0" />
    </>
  ),
  personOff: (
    <>
      <circle cx="10" cy="8" r="3.75" />
      <path d="M3 20a7 7 0 0 1 11.5-5.3M16 16.5l5 5m0-5-5 5" />
    </>
  ),
  chat: (
    <path d="M20.5 11.5a8 8 0 0 1-8.3 7.7 9 9 0 0 1-3.4-.7L4 20l1.3-3.9a7.3 7.3 0 0 1-1.6-4.6 8 8 0 0 1 8.4-7.7 8 8 0 0 1 8.4 7.7Z" />
  ),
  more: <path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="2.75" />,
  leave: (
    <path d="M3.2 14.6c-.9-1-.7-2.6.3-3.5 5-4.2 12-4.2 17 0 1 .9 1.2 2.5.3 3.500l-.9 1c-.4.5-1.1.6-1.6.3l-2.3-1.300a1.3 1.3 0 0 1-.7-1.200v-1.700c-2.2-.7-4.4-.7-6.6 0v1.700c0 .5-.3.9-.7 1.200l-2.3 1.300c-.5.3-1.2.2-1.6-.3Z" />
  ),
  up: <path d="m6 14.5 6-6 6 6" />,
  down: <path d="m6 9.5 6 6 6-6" />,
  left: <path d="m14.5 6-6 6 6 6" />,
  right: <path d="m9.5 6 6 6-6 6" />,
  pin: <path d="M9 3.500h6l-.6 6 3.1 3.200v1.800h-11v-1.800L9.6 9.500Zm3 11v6" />,
  unpin: (
    <path d="M9 3.500h6l-.6 6 3.1 3.200v1.800H14M9.6 9.500l-3.1 3.200v1.800h6.200M12 14.500v6M4 4l16 16" />
  ),
  expand: <path d="M14.5 4H20v5.500M20 4l-6 6M9.5 20H4v-5.500M4 20l6-6" />,
  shrink: <path d="M19.5 10H14V4.500M14 10l6-6M4.5 14H10v5.500M10 14l-6 6" />,
  pip: (
    <>
      <rect x="2.75" y="4.5" width="18.5" height="15" rx="2.5" />
      <rect x="11.5" y="11.5" width="7" height="5.25" rx="1" fill="currentColor" stroke="none" />
    </>
  ),
  copy: (
    <>
      <rect x="8.5" y="8.5" width="12" height="12" rx="2.5" />
      <path d="M15.5 5.750v-.250a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h.25" />
    </>
  ),
  check: <path d="m4.75 12.75 4.75 4.750L19.25 7" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  send: <path d="M4.5 12 3.25 4.900a.8.8 0 0 1 1.15-.85l15.9 7.230a.8.8 0 0 1 0 1.440L4.4 19.950a.8.8 0 0 1-1.15-.85L4.5 12Zm0 0h7" />,
  reply: <path d="M9.5 6 4 11.5 9.5 17M4.5 11.500H14a6 6 0 0 1 6 6v1" />,
  edit: <path d="m14.5 5.5 4 4M4 20l1-4.500L16.3 4.200a1.7 1.7 0 0 1 2.4 0l1.1 1.100a1.7 1.7 0 0 1 0 2.400L8.5 19Z" />,
  trash: <path d="M4.5 6.500h15M9 6.500v-2a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2m3 0-.8 12a2 2 0 0 1-2 1.900H8.800a2 2 0 0 1-2-1.900L6 6.500M10 10.500v6M14 10.500v6" />,
  settings: (
    <>
      <path d="M4 7.500h8.500M18.5 7.500H20M4 16.500h1.500M11.5 16.500H20" />
      <circle cx="15.5" cy="7.5" r="2.75" />
      <circle cx="8.5" cy="16.5" r="2.75" />
    </>
  ),
  statistics: <path d="M4 20V13M9.3 20V8.500M14.7 20v-5M20 20V4" />,
  keyboard: (
    <>
      <rect x="2.5" y="5.5" width="19" height="13" rx="2.5" />
      <path d="M6.5 9.500h.01M10 9.500h.01M13.5 9.500h.01M17 9.500h.01M6.5 12.500h.01M17.5 12.500h.01M10 12.500h.01M13.5 12.500h.01M8.5 15.500h7" />
    </>
  ),
  grid: (
    <>
      <rect x="3.5" y="4.5" width="7" height="6.5" rx="1.5" />
      <rect x="13.5" y="4.5" width="7" height="6.5" rx="1.5" />
      <rect x="3.5" y="13.5" width="7" height="6.5" rx="1.5" />
      <rect x="13.5" y="13.5" width="7" height="6.5" rx="1.5" />
    </>
  ),
  speakerView: (
    <>
      <rect x="3.5" y="4" width="17" height="10.5" rx="2" />
      <path d="M5 18.500h3M10.5 18.500h3M16 18.500h3" stroke-width="3" />
    </>
  ),
  link: (
    <path d="M10 14a4 4 0 0 0 5.9.4l3-3a4.1 4.1 0 0 0-5.8-5.800L11.7 7M14 10a4 4 0 0 0-5.9-.4l-3 3a4.1 4.1 0 0 0 5.8 5.800l1.4-1.4" />
  ),
  menu: <path d="M4 6.5h16M4 12h16M4 17.500h16" />,
  home: <path d="m3.5 11 8.500-7.250L20.500 11M5.750 9.250V19a1.250 1.250 0 0 0 1.250 1.250h10A1.250 1.250 0 0 0 18.250 19V9.250M10 20v-5.500h4V20" />,
  personPlus: (
    <>
      <circle cx="9.500" cy="8" r="3.500" />
      <path d="M3 19.500a6.500 6.500 0 0 1 13 0M18.500 8v6M15.500 11h6" />
    </>
  ),
  archive: <path d="M3.500 5.500h17v4h-17zM5 9.500V18a1.500 1.500 0 0 0 1.500 1.500h11A1.500 1.500 0 0 0 19 18V9.500M10 13.250h4" />,
  bell: <path d="M12 3.500a5.500 5.500 0 0 0-5.500 5.500c0 5-2 6.250-2 7.500h15c0-1.250-2-2.500-2-7.500A5.500 5.500 0 0 0 12 3.500ZM10 19.500a2.200 2.200 0 0 0 4 0" />,
  bellOff: <path d="M8.200 5A5.500 5.500 0 0 1 17.500 9c0 1.700.2 3 .6 4M6.600 8.200c-.1 5.300-2.100 7-2.100 8.300h12M10 19.500a2.200 2.200 0 0 0 4 0M4 4l16 16" />,
  folder: <path d="M3.500 7A1.750 1.750 0 0 1 5.250 5.250h4l2.250 2.500h7.250A1.750 1.750 0 0 1 20.500 9.500V17a1.750 1.750 0 0 1-1.750 1.750H5.250A1.750 1.750 0 0 1 3.500 17Z" />,
  file: <path d="M13.500 3.500H7A1.500 1.500 0 0 0 5.500 5v14A1.500 1.500 0 0 0 7 20.500h10a1.500 1.500 0 0 0 1.500-1.500V8.500Zm0 0v5h5" />,
  download: <path d="M12 4v11m0 0-4-4m4 4 4-4M5 19.500h14" />,
  upload: <path d="M12 15.500v-11m0 0-4 4m4-4 4 4M5 19.500h14" />,
  plus: <path d="M12 5v14M5 12h14" />,
  attach: <path d="m19.5 11.500-7.300 7.300a4.600 4.600 0 0 1-6.500-6.500l7.600-7.600a3.100 3.100 0 0 1 4.400 4.400l-7.500 7.500a1.600 1.600 0 0 1-2.200-2.200l6.700-6.700" />,
  thread: <path d="M5 4.500v8a4 4 0 0 0 4 4h10M15 12.500l4 4-4 4M10.500 7.500H19" />,
  search: (
    <>
      <circle cx="11" cy="11" r="6.5" />
      <path d="m16 16 4.5 4.5" />
    </>
  ),
  key: (
    <>
      <circle cx="8" cy="15" r="4.5" />
      <path d="m11.2 11.8 8.3-8.3M15.5 7.5l3 3M18 5l2 2" />
    </>
  ),
  lock: (
    <>
      <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
      <path d="M8.25 10.500V7.750a3.75 3.75 0 0 1 7.5 0v2.75" />
    </>
  ),
  door: <path d="M6.5 20.500v-15a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v15M4 20.500h16M14 12v.5" />,
  volume: (
    <path d="M4 9.750v4.500h3.500L12.5 18.500v-13L7.5 9.750ZM16 9a4.2 4.2 0 0 1 0 6M18.5 6.500a7.8 7.8 0 0 1 0 11" />
  ),
  globe: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M3.25 12h17.500M12 3c2.7 2.6 4 5.6 4 9s-1.3 6.4-4 9c-2.7-2.6-4-5.6-4-9s1.3-6.4 4-9Z" />
    </>
  ),
  sun: (
    <>
      <circle cx="12" cy="12" r="4" />
      <path d="M12 2.750v2M12 19.250v2M2.75 12h2M19.25 12h2M5.5 5.500l1.4 1.400M17.1 17.100l1.4 1.400M5.5 18.500l1.4-1.400M17.1 6.900l1.4-1.4" />
    </>
  ),
  moon: <path d="M20 14.200A8.3 8.3 0 0 1 9.8 4 8.3 8.3 0 1 0 20 14.200Z" />,
  system: (
    <>
      <rect x="2.75" y="4" width="18.5" height="12.5" rx="2.5" />
      <path d="M8.5 20.500h7M12 16.500v4" />
    </>
  ),
  clock: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 7v5.250l3.25 2" />
    </>
  ),
  alert: <path d="M12 9.250v4M12 16.500h.01M10.3 4.3 2.8 17.250a2 2 0 0 0 1.7 3h15a2 2 0 0 0 1.7-3L13.7 4.300a2 2 0 0 0-3.4 0Z" />,
  info: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 11v5M12 8h.01" />
    </>
  ),
  pause: <path d="M8.5 5.500v13M15.5 5.500v13" />,
  lower: <path d="M4 5.500h16M7 10.500h10M12 14v6m0 0-2.750-2.750M12 20l2.750-2.750" />,
  play: <path d="M7 4.750v14.500l12-7.250Z" />,
  phone: <path d="M5 4.500h3l1.5 4-2 1.500a12 12 0 0 0 6 6l1.5-2 4 1.500v3a1.5 1.5 0 0 1-1.6 1.500A16.5 16.5 0 0 1 3.5 6.1 1.5 1.5 0 0 1 5 4.500Z" />,
  broadcast: (
    <>
      <circle cx="12" cy="12" r="2" />
      <path d="M8 16a5.7 5.7 0 0 1 0-8M16 8a5.7 5.7 0 0 1 0 8M5 19a10 10 0 0 1 0-14M19 5a10 10 0 0 1 0 14" />
    </>
  ),
  star: <path d="m12 3.5 2.6 5.4 5.9.8-4.3 4.1 1.1 5.900L12 16.900l-5.3 2.8 1.1-5.900L3.5 9.700l5.9-.8Z" />,
  offline: <path d="M2.5 9a14 14 0 0 1 5-3M10.8 5.100A14 14 0 0 1 21.5 9M5.8 12.600a9 9 0 0 1 3.7-2.100M14 10.400a9 9 0 0 1 4.2 2.200M9 16a4.5 4.5 0 0 1 6 0M12 19.250h.01M4 4l16 16" />,
};

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20, ...rest }: { name: IconName; size?: number } & Omit<JSX.SVGAttributes<SVGSVGElement>, 'name' | 'size'>) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
      {...rest}
    >
      {paths[name]}
    </svg>
  );
}

/** Three bars: how good a connection is. */
export function Bars({ level }: { level: 'good' | 'fair' | 'poor' | 'unknown' }) {
  const lit = { good: 3, fair: 2, poor: 1, unknown: 0 }[level];
  return (
    <svg class="bars" data-level={level} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      {[0, 1, 2].map((i) => (
        <rect
          key={i}
          x={2 + i * 4.5}
          y={10 - i * 3.5}
          width="3"
          height={4 + i * 3.5}
          rx="1"
          class={i < lit ? 'lit' : ''}
        />
      ))}
    </svg>
  );
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-field" width="32" height="32" rx="9" />
      <path
        class="logo-mark"
        d="M9 12.500a4 4 0 0 1 4-4h6a4 4 0 0 1 4 4v3a4 4 0 0 1-4 4h-3.200l-4.1 3.600c-.5.4-1.2.1-1.2-.6v-3.400A4 4 0 0 1 9 15.600z"
      />
      <circle class="logo-field" cx="13.4" cy="14" r="1.3" />
      <circle class="logo-field" cx="18.6" cy="14" r="1.3" />
    </svg>
  );
}
