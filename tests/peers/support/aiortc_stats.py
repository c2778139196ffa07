"""aiortc publishes by WHIP, another plays by WHEP; then each side's numbers and the host's are read.

aiortc_stats.py WHIP_URL WHEP_URL STATS_URL HOST_TOKEN: prints one line of JSON:
{"publisher": {"audio": {packets, bytes}, ...}, "player": {"audio": {packets}, ...}, "server": the answer}.
"""
import asyncio
import json
import sys
import urllib.request

from aiortc import RTCPeerConnection
from aiortc.contrib.media import MediaBlackhole

from aiortc_call import Grey, Tone, http, offer

SECONDS, SECONDS_MAX = 6, 40


def ask(url, token):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)


async def streams(senders_or_receivers, type):
    seen = {}
    for end in senders_or_receivers:
        for row in (await end.getStats()).values():
            if row.type == type:
                seen[row.kind] = {
                    "packets": getattr(row, "packetsSent", None) or getattr(row, "packetsReceived", 0),
                    "bytes": getattr(row, "bytesSent", 0),
                }
    return seen


async def main(whip, whep, stats, token):
    publisher, player, sink = RTCPeerConnection(), RTCPeerConnection(), MediaBlackhole()
    player.on("track")(sink.addTrack)
    try:
        publisher.addTrack(Tone())
        publisher.addTrack(Grey())
        published = await offer(publisher, whip)
        while publisher.connectionState != "connected":
            await asyncio.sleep(0.02)
        player.addTransceiver("audio", direction="recvonly")
        player.addTransceiver("video", direction="recvonly")
        played = await offer(player, whep)
        await sink.start()
        await asyncio.sleep(SECONDS)
        server = await asyncio.get_running_loop().run_in_executor(None, ask, stats, token)
        report = {
            "publisher": await streams(publisher.getSenders(), "outbound-rtp"),
            "player": await streams(player.getReceivers(), "inbound-rtp"),
            "server": server,
        }
        await http("DELETE", played)
        await http("DELETE", published)
        print(json.dumps(report))
    finally:
        await sink.stop()
        await player.close()
        await publisher.close()


asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), SECONDS_MAX))
