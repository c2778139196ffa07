// Put into every page before its scripts: a microphone with a tone of its own, a camera with a
// colour of its own, and a look at every connection. Runs in the page: no imports, no closures.
// via: the port on loopback by which this page reaches the server's media, instead of the server's own.
// busy: pictures that cost as many bits as a camera's.
export function fakes({ tone, hue, width, height, fps, ownTone, udpBlocked, via, busy }) {
  const connections = [];
  const Native = window.RTCPeerConnection;
  const times = {}; // when each step of the newest connection was first reached, ms
  const UDP_CANDIDATES = /^a=candidate:\S+ \d+ udp .*\r\n/gim;
  /** The answer as a network would have it that has no UDP, or another address for the server. */
  function translated(sdp) {
    if (udpBlocked) return sdp.replace(UDP_CANDIDATES, '');
    if (!window.__test.via) return sdp;
    let first = true;
    return sdp.replace(/^a=candidate:\S+ \d+ tcp .*\r\n/gim, '').replace(UDP_CANDIDATES, (line) => {
      const kept = first ? line.replace(/^(\S+ \d+ udp \d+) \S+ \d+/i, `$1 127.0.0.1 ${window.__test.via}`) : '';
      first = false;
      return kept;
    });
  }
  const mark = (step) => (times[step] ??= performance.now());
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      connections.push(this);
      this.offers = 0;
      this.addEventListener('iceconnectionstatechange', () => mark(`ice ${this.iceConnectionState}`));
      this.addEventListener('connectionstatechange', () => mark(this.connectionState));
    }
    async setLocalDescription(...args) {
      this.offers++;
      await super.setLocalDescription(...args);
      mark('offer');
    }
    async setRemoteDescription(description) {
      mark('answer');
      await super.setRemoteDescription({ type: description.type, sdp: translated(description.sdp) });
      mark('answer set');
    }
  };
  const live = () => connections.filter((pc) => pc.connectionState !== 'closed');

  let audio;
  function context() {
    audio ??= new AudioContext();
    void audio.resume();
    return audio;
  }

  function toneTrack() {
    const oscillator = context().createOscillator();
    const gain = context().createGain();
    const out = context().createMediaStreamDestination();
    oscillator.frequency.value = tone;
    gain.gain.value = 0.3;
    oscillator.connect(gain).connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  }

  /** Pictures of grains, each half as high as the picture. */
  function noises({ width, height }) {
    return Array.from({ length: 8 }, () => {
      const canvas = new OffscreenCanvas(width / 4, height / 8);
      const pen = canvas.getContext('2d');
      const pixels = pen.createImageData(canvas.width, canvas.height);
      for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
      pen.putImageData(pixels, 0, 0);
      return canvas;
    });
  }

  function pictureTrack(constraints) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext('2d');
    let frame = 0;
    const grains = busy ? noises(canvas) : [];
    const draw = () => {
      pen.fillStyle = `hsl(${hue} 100% 50%)`;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      // Most of it moves a little, as people do, and some of it is new.
      if (busy) pen.drawImage(grains[0], (frame * 3) % 60, canvas.height / 2, canvas.width, canvas.height / 2);
      if (busy) pen.drawImage(grains[1 + (frame % 7)], 0, canvas.height / 2, canvas.width / 4, canvas.height / 4);
      pen.fillStyle = '#fff'; // something that moves, near the edge
      pen.fillRect((frame * 7) % canvas.width, canvas.height - 24, 40, 16);
      frame++;
    };
    draw();
    const timer = setInterval(draw, busy ? 66 : 1000 / fps);
    const track = canvas.captureStream(fps).getVideoTracks()[0];
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    void constraints;
    return track;
  }

  const devices = navigator.mediaDevices;
  const native = devices?.getUserMedia?.bind(devices);
  if (devices) {
    devices.getUserMedia = async (constraints = {}) => {
      const tracks = [];
      // ownTone: the browser's own fake microphone has the tone already.
      if (constraints.audio && ownTone) tracks.push(...(await native({ audio: true })).getAudioTracks());
      else if (constraints.audio) tracks.push(toneTrack());
      if (constraints.video) tracks.push(pictureTrack(constraints.video));
      return new MediaStream(tracks);
    };
  }

  const nativeShare = devices?.getDisplayMedia?.bind(devices);
  if (nativeShare) {
    devices.getDisplayMedia = async (constraints) => {
      const stream = await nativeShare(constraints);
      window.__test.shared = Date.now(); // from here on there is something to be seen
      return stream;
    };
  }

  const analysers = new Map();
  window.__test = {
    connections,
    times,
    mark,
    via,
    /** Clicks and waits for the first remote picture to be decoded; ms from the click by step. */
    async clickToPicture(selector) {
      const start = performance.now();
      document.querySelector(selector).click();
      while (!Object.values(await this.decoded()).some((frames) => frames > 0)) {
        if (performance.now() - start > 15000) throw new Error('no picture');
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
      mark('decoded');
      const steps = {};
      for (const [step, at] of Object.entries(times)) steps[step] = Math.round(at - start);
      return steps;
    },
    /** Which of the tones are heard in any received audio, by level over the noise in dB. */
    async heard(tones) {
      const heard = {};
      const tracks = live()
        .flatMap((pc) => pc.getReceivers())
        .map((receiver) => receiver.track)
        .filter((track) => track.kind === 'audio' && track.readyState === 'live');
      for (const spectrum of await Promise.all(tracks.map((track) => this.spectrum(track, tones)))) {
        for (const tone of tones) heard[tone] = Math.max(heard[tone] ?? 0, spectrum[tone] ?? 0);
      }
      return heard;
    },
    /** Firefox's audio context does not run without a sound card: there half a second is recorded. */
    spectrum(track, tones) {
      return context().state === 'running' ? this.analysed(track, tones) : this.recorded(track, tones);
    },
    analysed(track, tones) {
      let analyser = analysers.get(track.id);
      if (!analyser) {
        analyser = context().createAnalyser();
        analyser.fftSize = 8192;
        analyser.smoothingTimeConstant = 0;
        context().createMediaStreamSource(new MediaStream([track])).connect(analyser);
        analysers.set(track.id, analyser);
      }
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const floor = [...bins].sort((a, b) => a - b)[bins.length >> 1];
      const over = (tone) => {
        const at = Math.round((tone * analyser.fftSize) / context().sampleRate);
        const level = Math.max(bins[at - 1], bins[at], bins[at + 1]);
        return Number.isFinite(level) && level > -60 ? level - Math.max(floor, -140) : 0;
      };
      return Object.fromEntries(tones.map((tone) => [tone, over(tone)]));
    },
    async recorded(track, tones) {
      const recorder = new MediaRecorder(new MediaStream([track]));
      const parts = [];
      recorder.ondataavailable = (event) => parts.push(event.data);
      const stopped = new Promise((resolve) => (recorder.onstop = resolve));
      recorder.start();
      await new Promise((resolve) => setTimeout(resolve, 700));
      recorder.stop();
      await stopped;
      const bytes = await new Blob(parts).arrayBuffer();
      if (bytes.byteLength === 0) return {};
      const decoded = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes).catch(() => null);
      if (!decoded || decoded.length < 8192) return {};
      const samples = decoded.getChannelData(0).subarray(decoded.length - 8192);
      const power = (tone) => {
        const step = 2 * Math.cos((2 * Math.PI * tone) / decoded.sampleRate);
        let [a, b] = [0, 0]; // Goertzel
        for (let i = 0; i < samples.length; i++) {
          const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length);
          [a, b] = [samples[i] * window + step * a - b, a];
        }
        return Math.max(1e-14, (a * a + b * b - step * a * b) / samples.length ** 2);
      };
      const dB = (value) => 10 * Math.log10(value);
      const floor = dB([177, 311, 523, 1237, 1711, 3307, 4211].map(power).sort((x, y) => x - y)[3]);
      return Object.fromEntries(tones.map((tone) => [tone, dB(power(tone)) > -60 ? dB(power(tone)) - floor : 0]));
    },
    /** What each playing video element shows: its colour's hue and its size. */
    shown() {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 16;
      const pen = canvas.getContext('2d', { willReadFrequently: true });
      return [...document.querySelectorAll('video')]
        .filter((video) => video.videoWidth > 0 && video.readyState >= 2)
        .map((video) => {
          pen.drawImage(video, video.videoWidth / 4, video.videoHeight / 4, video.videoWidth / 2,
            video.videoHeight / 4, 0, 0, 16, 16);
          const [r, g, b] = [...pen.getImageData(8, 8, 1, 1).data].map((v) => v / 255);
          const most = Math.max(r, g, b);
          const range = most - Math.min(r, g, b);
          let h = 0;
          if (range > 0.15) {
            if (most === r) h = ((g - b) / range + 6) % 6;
            else if (most === g) h = (b - r) / range + 2;
            else h = (r - g) / range + 4;
          }
          return { hue: range > 0.15 ? Math.round(h * 60) : -1, width: video.videoWidth, height: video.videoHeight };
        });
    },
    /** Statistics of every live connection, flat. */
    async stats() {
      const all = [];
      for (const pc of live()) (await pc.getStats()).forEach((entry) => all.push(entry));
      return all;
    },
    /** Frames decoded by mid. */
    async decoded() {
      const frames = {};
      for (const entry of await this.stats()) {
        if (entry.type === 'inbound-rtp' && entry.kind === 'video') frames[entry.mid] = entry.framesDecoded ?? 0;
      }
      return frames;
    },
  };
}
