"""aiortc publishes a tone and moving colours by WHIP; a second aiortc plays them by WHEP.

aiortc_call.py WHIP_URL WHEP_URL: prints one line of JSON: frames decoded, their size, the mean
luma of the last one, and how much louder the tone was than its neighbours (Goertzel, dB).
"""
import asyncio
import fractions
import json
import math
import sys
import urllib.request
from urllib.parse import urljoin

import numpy
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame, VideoFrame

TONE_HZ, BESIDE_HZ = 440, (300, 1000, 1700)
RATE = 48000
FRAMES_WANTED, SECONDS_OF_SOUND, SECONDS_MAX = 30, 2, 40


class Tone(AudioStreamTrack):
    """TONE_HZ at half of full scale, paced by aiortc's own clock."""

    async def recv(self):
        silence = await super().recv()
        at = numpy.arange(silence.samples) + silence.pts
        wave = (16384 * numpy.sin(2 * math.pi * TONE_HZ * at / silence.sample_rate)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.pts, frame.sample_rate = silence.pts, silence.sample_rate
        frame.time_base = fractions.Fraction(1, silence.sample_rate)
        return frame


class Grey(VideoStreamTrack):
    """320 x 240 of one grey with a bar that walks through it."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        picture = numpy.full((240, 320, 3), 200, numpy.uint8)
        left = pts // 3000 * 8 % 320
        picture[:, left : left + 8] = 20
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


async def http(method, url, body=None):
    def call():
        request = urllib.request.Request(url, body, {"Content-Type": "application/sdp"}, method=method)
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.headers, reply.read().decode()

    return await asyncio.get_running_loop().run_in_executor(None, call)


async def offer(pc, url):
    """Returns the resource, to be deleted."""
    await pc.setLocalDescription(await pc.createOffer())
    headers, answer = await http("POST", url, pc.localDescription.sdp.encode())
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return urljoin(url, headers["Location"])


def power(samples, hz):
    """Goertzel's power of one frequency."""
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    return one * one + two * two - turn * one * two


async def listen(track):
    """Mono samples from the first sound on."""
    heard = []
    while len(heard) < RATE * SECONDS_OF_SOUND:
        frame = await track.recv()
        channels = len(frame.layout.channels)
        mono = frame.to_ndarray().reshape(-1, channels)[:, 0].astype(float) / 32768
        if heard or numpy.abs(mono).max() > 0.1:
            heard.extend(mono)
    tone = power(heard, TONE_HZ)
    beside = max(power(heard, hz) for hz in BESIDE_HZ)
    return {"tone_db": round(10 * math.log10(tone / max(beside, 1e-9)), 1)}


async def look(track):
    for count in range(1, FRAMES_WANTED + 1):
        frame = await track.recv()
    luma = frame.to_ndarray(format="gray").mean()
    return {"frames": count, "width": frame.width, "height": frame.height, "luma": round(float(luma), 1)}


async def main(whip, whep):
    publisher, player = RTCPeerConnection(), RTCPeerConnection()
    results = []

    @player.on("track")
    def on_track(track):
        results.append(asyncio.ensure_future(listen(track) if track.kind == "audio" else look(track)))

    try:
        publisher.addTrack(Tone())
        publisher.addTrack(Grey())
        published = await offer(publisher, whip)
        while publisher.connectionState != "connected":
            await asyncio.sleep(0.02)
        player.addTransceiver("audio", direction="recvonly")
        player.addTransceiver("video", direction="recvonly")
        played = await offer(player, whep)
        report = {}
        for part in await asyncio.gather(*results):
            report.update(part)
        await http("DELETE", played)
        await http("DELETE", published)
        print(json.dumps(report))
    finally:
        await player.close()
        await publisher.close()


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), SECONDS_MAX))
