// Put into every page before its scripts: a microphone with a tone of its own, a camera with a
// colour of its own, and a look at every connection. Runs in the page: no imports, no closures.
export function fakes({ tone, hue, width, height }) {
  const connections = [];
  const Native = window.RTCPeerConnection;
  const times = {}; // when each step of the newest connection was first reached, ms
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
    async setRemoteDescription(...args) {
      mark('answer');
      await super.setRemoteDescription(...args);
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

  function pictureTrack(constraints) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext('2d');
    let frame = 0;
    const draw = () => {
      pen.fillStyle = `hsl(${hue} 100% 50%)`;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.fillStyle = '#fff'; // something that moves, near the edge
      pen.fillRect((frame * 7) % canvas.width, canvas.height - 24, 40, 16);
      frame++;
    };
    draw();
    const timer = setInterval(draw, 33);
    const track = canvas.captureStream(30).getVideoTracks()[0];
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    void constraints;
    return track;
  }

  const devices = navigator.mediaDevices;
  if (tone) {
    devices.getUserMedia = async (constraints = {}) => {
      const tracks = [];
      if (constraints.audio) tracks.push(toneTrack());
      if (constraints.video) tracks.push(pictureTrack(constraints.video));
      return new MediaStream(tracks);
    };
  }

  const analysers = new Map();
  window.__test = {
    connections,
    times,
    mark,
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
    heard(tones) {
      const heard = {};
      for (const pc of live()) {
        for (const receiver of pc.getReceivers()) {
          const { track } = receiver;
          if (track.kind !== 'audio') continue;
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
          for (const wanted of tones) {
            const at = Math.round((wanted * analyser.fftSize) / context().sampleRate);
            const level = Math.max(bins[at - 1], bins[at], bins[at + 1]);
            const over = Number.isFinite(level) && level > -60 ? level - Math.max(floor, -140) : 0;
            heard[wanted] = Math.max(heard[wanted] ?? 0, over);
          }
        }
      }
      return heard;
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
