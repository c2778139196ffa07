// Runs in the page before its scripts: a gateway and a meeting full of drawn people, so that every
// page can be photographed without a server and looks the same each time. No imports, no closures.
export function scene({ state, people, language, knocks, tcp, dials = [] }) {
  const zh = language === 'zh-CN';
  const names = zh
    ? ['林晓', '陈思远', '王雨桐', '李明哲', '赵一诺', 'Daniel Reyes', '孙嘉', '周子墨', '吴桐', '郑爽朗', '何静', '许安']
    : ['Maya Lindqvist', 'Daniel Reyes', 'Amara Okafor', 'Jonas Weber', '陈思远', 'Sofia Rossi', 'Tom Baker', 'Yuki Tanaka', 'Lena Fischer', 'Omar Haddad', 'Nina Patel', 'Ivan Petrov'];
  const start = Date.now();
  const sharing = state === 'screen';
  const everyone = Array.from({ length: people }, (_, i) => ({
    id: `p${i}`,
    name: names[i % names.length] + (i >= names.length ? ` ${Math.floor(i / names.length) + 1}` : ''),
    role: i === 0 ? 'host' : i === 1 ? 'cohost' : 'participant',
    kind: i === 6 ? 'phone' : 'browser',
    muted: i % 3 === 2 || i === 0,
    camera: i === 0 || ![3, 6].includes(i % 10),
    screen: sharing && i === 1,
    online: i !== 7,
    hand: i === 2 ? start - 4000 : i === 5 ? start - 9000 : 0,
    joined: start - 600000 + i * 1000,
  }));
  const meeting = { id: 'weekly-design-7Qz2', title: zh ? '设计周会' : 'Weekly design review', locked: false, lobby: knocks > 0, link: '/m/weekly-design-7Qz2' };
  const said = zh
    ? [
        [1, '早上好！今天的议程在这里：\n\n1. 新的加入流程\n2. **屏幕共享**的清晰度\n3. 下周发布'],
        [2, '第二点我做了一些测量，稍后分享。'],
        [2, '结论：`1080p` 下小字号清晰可读。'],
        [0, '太好了，谢谢！'],
        [4, '文档在 https://example.org/notes ，欢迎补充。'],
      ]
    : [
        [1, 'Good morning! The agenda for today:\n\n1. The new join flow\n2. How sharp **shared screens** are\n3. Next week’s release'],
        [2, 'I measured the second point and will show it in a minute.'],
        [2, 'In short: small type is readable at `1080p`.'],
        [0, 'Lovely, thank you!'],
        [5, 'Notes are at https://example.org/notes – please add yours.'],
      ];
  const chat = said.map(([by, text], i) => ({
    id: String(100 + i),
    author: `p${by}`,
    author_name: names[by],
    text,
    ...(i === 3 ? { reply_to: '102' } : {}),
    created: start - 900000 + i * 140000,
    reactions: i === 2 ? [{ emoji: '👍', by: ['p0', 'p3', 'p4'] }, { emoji: '🎉', by: ['p5'] }] : [],
    ...(i === 4 ? { edited: start - 1000 } : {}),
  }));

  const poll = (id, open, question, options) => ({
    id, question, options: options.map(([text, votes]) => ({ text, votes })), anonymous: false, open, revision: 1,
    created: start - 60000, closed: open ? 0 : start - 1000,
  });
  const polls = zh
    ? [
        poll('l2', true, '下周的评审放在哪天？', [['周二上午', 2], ['周三下午', 3], ['周四', 0]]),
        poll('l1', false, '新的加入流程可以发布了吗？', [['可以', 5], ['还要再改', 1]]),
      ]
    : [
        poll('l2', true, 'Which day suits next week’s review?', [['Tuesday morning', 2], ['Wednesday afternoon', 3], ['Thursday', 0]]),
        poll('l1', false, 'Is the new join flow ready to ship?', [['Yes', 5], ['Not yet', 1]]),
      ];

  // ---- pictures ----
  function face(index, width, height) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext('2d');
    const hue = (index * 47 + 205) % 360;
    let t = index * 10;
    const draw = () => {
      t += 0.04;
      const back = pen.createLinearGradient(0, 0, width, height);
      back.addColorStop(0, `hsl(${hue} 28% 62%)`);
      back.addColorStop(1, `hsl(${(hue + 50) % 360} 30% 30%)`);
      pen.fillStyle = back;
      pen.fillRect(0, 0, width, height);
      pen.fillStyle = 'rgb(255 255 255 / 14%)';
      pen.beginPath();
      pen.arc(width * (0.15 + (index % 4) * 0.2), height * 0.25, height * 0.3, 0, 7);
      pen.fill();
      const x = width / 2 + Math.sin(t) * width * 0.01;
      pen.fillStyle = `hsl(${(hue + 160) % 360} 34% 34%)`;
      pen.beginPath();
      pen.ellipse(x, height * 1.08, height * 0.5, height * 0.42, 0, 0, 7);
      pen.fill();
      pen.fillStyle = `hsl(${18 + (index % 5) * 5} ${30 + (index % 3) * 10}% ${38 + ((index * 13) % 35)}%)`;
      pen.fillRect(x - height * 0.07, height * 0.55, height * 0.14, height * 0.18);
      pen.beginPath();
      pen.ellipse(x, height * 0.43, height * 0.17, height * 0.21, 0, 0, 7);
      pen.fill();
      pen.fillStyle = `hsl(${20 + index * 9} 30% ${14 + (index % 4) * 8}%)`;
      pen.beginPath();
      pen.ellipse(x, height * 0.32, height * 0.185, height * 0.14, 0, Math.PI, 0);
      pen.fill();
    };
    draw();
    setInterval(draw, 66);
    return canvas.captureStream(15).getVideoTracks()[0];
  }

  function slide() {
    const canvas = document.createElement('canvas');
    canvas.width = 1920;
    canvas.height = 1080;
    const pen = canvas.getContext('2d');
    const draw = () => {
      pen.fillStyle = '#fbfbf8';
      pen.fillRect(0, 0, 1920, 1080);
      pen.fillStyle = '#1a1b1f';
      pen.font = '600 76px sans-serif';
      pen.fillText(zh ? '新的加入流程' : 'The new join flow', 140, 210);
      pen.font = '34px sans-serif';
      pen.fillStyle = '#53555d';
      (zh
        ? ['点击“加入”后 0.4 秒看到第一帧画面', '摄像头与麦克风在加入前已就绪', '只协商一次，之后只换槽位']
        : ['First picture 0.4 s after the click on Join', 'Camera and microphone are ready before it', 'One negotiation; from then on only slots change']
      ).forEach((line, i) => pen.fillText(`•  ${line}`, 140, 320 + i * 64));
      [0.35, 0.5, 0.42, 0.66, 0.8, 0.74, 0.95].forEach((h, i) => {
        pen.fillStyle = i === 6 ? '#4453d4' : '#c9cdf3';
        pen.fillRect(140 + i * 150, 980 - h * 400, 100, h * 400);
      });
    };
    draw();
    setInterval(draw, 200);
    return canvas.captureStream(5).getVideoTracks()[0];
  }

  async function answer(offer) {
    const peer = new RTCPeerConnection();
    window.__peer = peer;
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    const slots = [];
    const sources = [];
    const counts = { voice: 0, tile: 0 };
    const shown = everyone.filter((p) => p.id !== 'p0' && p.camera);
    const receivers = peer.getTransceivers().slice(4);
    const videos = receivers.filter((t) => t.receiver.track.kind === 'video');
    const audios = receivers.filter((t) => t.receiver.track.kind === 'audio');
    for (const t of receivers) {
      const video = t.receiver.track.kind === 'video';
      const last = video ? t === videos[videos.length - 1] : t === audios[audios.length - 1];
      const kind = video ? (last ? 'screen' : 'tile') : last ? 'screen_audio' : 'voice';
      const index = last ? 0 : counts[kind]++;
      slots.push({ mid: t.mid, kind, index });
      if (kind === 'tile' && shown[index]) {
        t.direction = 'sendonly';
        await t.sender.replaceTrack(face(Number(shown[index].id.slice(1)), 640, 360));
        sources.push({ mid: t.mid, source: { id: shown[index].id, kind: 'camera' } });
      } else if (kind === 'screen' && sharing) {
        t.direction = 'sendonly';
        await t.sender.replaceTrack(slide());
        sources.push({ mid: t.mid, source: { id: 'p1', kind: 'screen' } });
      }
    }
    await peer.setLocalDescription(await peer.createAnswer());
    await new Promise((done) => {
      const look = () => peer.iceGatheringState === 'complete' && done();
      peer.addEventListener('icegatheringstatechange', look);
      look();
    });
    return { sdp: peer.localDescription.sdp, slots, sources };
  }

  const local = navigator.mediaDevices;
  local.getUserMedia = async (constraints) => {
    const tracks = [];
    if (constraints.video) tracks.push(face(0, 1280, 720));
    if (constraints.audio) {
      const audio = new AudioContext();
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      volume.gain.value = 0.08;
      const out = audio.createMediaStreamDestination();
      tone.connect(volume).connect(out);
      tone.start();
      tracks.push(out.stream.getAudioTracks()[0]);
    }
    return new MediaStream(tracks);
  };
  if (state === 'refused')
    local.getUserMedia = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
  local.enumerateDevices = async () =>
    [
      ['audioinput', 'MacBook Pro Microphone'],
      ['audioinput', 'Jabra Speak 510'],
      ['videoinput', 'FaceTime HD Camera'],
      ['audiooutput', 'MacBook Pro Speakers'],
    ].map(([kind, label], i) => ({ kind, label, deviceId: `d${i}`, groupId: 'g' }));

  // ---- the gateway ----
  class Gateway {
    constructor() {
      this.s = 0;
      this.readyState = 0;
      window.__gateway = this;
      setTimeout(() => this.say({ op: 'hello', d: { heartbeat_ms: 10000, resume_ms: 120000, version: '0' } }), 5);
    }
    say(frame) {
      this.onmessage?.({ data: JSON.stringify(frame) });
    }
    tell(t, d) {
      this.s += 1;
      this.say({ op: 'dispatch', s: this.s, t, d });
    }
    close() {}
    send(text) {
      const frame = JSON.parse(text);
      if (frame.op === 'identify') setTimeout(() => this.identified(frame.d), 30);
      else if (frame.op === 'command') void this.command(frame);
    }
    identified(asked) {
      if (asked.spaces) return this.tell('spaces.ready', { session: 's', secret: 'x' });
      const common = { session: 's', secret: 'x', self: 'p0', token: 't', meeting };
      if (state === 'lobby') return this.tell('waiting', common);
      if (['locked', 'full', 'not_found', 'removed', 'ended'].includes(state)) return this.say({ op: 'invalid', d: { reason: 'refused', code: state } });
      this.tell('ready', { ...common, role: 'host', participants: everyone, slots: { voices: 3, tiles: 9 }, ...(sharing ? { presenter: 'p1' } : {}) });
      if (knocks > 0) this.tell('lobby', { waiting: Array.from({ length: knocks }, (_, i) => ({ id: `k${i}`, name: names[(i + 8) % names.length], since: start })) });
      if (people > 1) setInterval(() => this.tell('speakers', { speakers: [{ id: 'p1', level: 24 }] }), 900);
      return undefined;
    }
    async command({ s, t, d }) {
      let result;
      if (t === 'media.offer') {
        const { sources, ...rest } = await answer(d.sdp);
        result = rest;
        setTimeout(() => {
          this.tell('media.state', { state: 'connected', tcp: Boolean(tcp) });
          window.__sources = sources;
          this.tell('slots', { slots: sources });
          for (const { mid } of sources) this.tell('slot', { mid, state: 'live', layer: 2 });
        }, 50);
        if (dials.length > 0) this.tell('dials', { dials: dials.map((each, i) => ({ id: `d${i}`, by: 'p0', name: '', code: 0, reason: '', ...each })) });
      } else if (t === 'space.events') result = { items: [], last: 1, more: false };
      else if (t === 'phone.info') result = { pin: '481902735', numbers: ['+4930901820', '+861065529988'], dial: true };
      else if (t === 'poll.list') result = { polls: state === 'polls' ? polls : [] };
      else if (t === 'chat.history') result = { messages: chat, more: false };
      else if (t === 'chat.send') result = { message: { id: String(200 + s), author: 'p0', author_name: names[0], text: d.text, created: Date.now(), reactions: [] } };
      this.tell('reply', { command: s, ok: true, ...(result ? { result } : {}) });
    }
  }
  window.WebSocket = Gateway;
}

/** How four people fare, as the server answers hosts. */
export function statistics(language) {
  const names = language === 'zh-CN' ? ['林晓', '陈思远', '王雨桐', '李明哲'] : ['Maya Lindqvist', 'Daniel Reyes', 'Amara Okafor', 'Jonas Weber'];
  const participants = names.map((name, i) => ({
    id: `p${i}`,
    name,
    kind: 'browser',
    server: {
      connected: true,
      tcp: i === 3,
      rtt: [12, 31, 24, 118][i],
      estimate: [8_400_000, 5_100_000, 6_200_000, 640_000][i],
      sent: [3_100_000, 2_700_000, 2_900_000, 410_000][i],
      received: [1_900_000, 1_700_000, 0, 320_000][i],
      tracks: [{ source: 'camera', layer: 2, height: 720, bitrate: 1_700_000, loss: i === 3 ? 21 : 0, active: true }],
      slots: [{ kind: 'tile', layer: i === 3 ? 0 : 2, target: 2, height: i === 3 ? 180 : 720, bitrate: 900_000, loss: i === 3 ? 34 : 0, state: 'live' }],
      switches: i === 3 ? [{ reason: 'link', ago: 42_000, from: 1, to: 0 }] : [],
    },
    client: { ago: 900, report: { rtt: [11, 30, 25, 121][i], loss_in: 0, loss_out: 0, freezes: i === 3 ? 2 : 0, concealed: i === 3 ? 8 : 0 } },
  }));
  return { participants, more: false };
}
