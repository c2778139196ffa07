"""GStreamer's webrtcbin publishes by WHIP; a second one plays by WHEP.

gstreamer_call.py WHIP_URL WHEP_URL: prints one line of JSON: pictures decoded, their size, and the
loudest peak (0..1) of the decoded sound.
"""
import json
import sys
import urllib.request
from urllib.parse import urljoin

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PICTURES_WANTED, PEAK_WANTED, SECONDS_MAX, LOOK_MS = 30, 0.1, 40, 20
VIDEO = "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96"
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=97"
PUBLISH = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! videoconvert ! "
    f"vp8enc deadline=1 keyframe-max-dist=60 ! rtpvp8pay ! {VIDEO} ! peer. "
    f"audiotestsrc is-live=true freq=440 volume=0.5 ! audioconvert ! opusenc ! rtpopuspay ! {AUDIO} ! peer."
)


def http(method, url, body=None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/sdp"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.headers, reply.read().decode()


class Peer:
    """A pipeline around one webrtcbin that offers once all its candidates are known."""

    def __init__(self, pipeline, url, on_up):
        self.pipeline, self.url, self.on_up, self.resource = pipeline, url, on_up, None
        self.bin = pipeline.get_by_name("peer")
        self.bin.connect("on-negotiation-needed", self.negotiate)

    def start(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(LOOK_MS, self.look)

    def look(self):
        """Looks at the states, which change on other threads; False ends it."""
        if self.resource is None:
            self.offer()
        elif self.state("connection-state") == "connected":
            self.on_up()
            return False
        return True

    def state(self, name):
        return self.bin.get_property(name).value_nick

    def negotiate(self, _):
        def made(promise):
            reply = promise.get_reply()  # owns the offer
            self.bin.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

        self.bin.emit("create-offer", None, Gst.Promise.new_with_change_func(made))

    def offer(self):
        if self.state("ice-gathering-state") != "complete":
            return
        sdp = self.bin.get_property("local-description").sdp.as_text()
        headers, answer = http("POST", self.url, sdp.encode())
        self.resource = urljoin(self.url, headers["Location"])
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.bin.emit("set-remote-description", description, Gst.Promise.new())

    def end(self):
        if self.resource:
            http("DELETE", self.resource)
        self.pipeline.set_state(Gst.State.NULL)


class Player(Peer):
    def __init__(self, url, on_enough):
        pipeline = Gst.Pipeline.new()
        peer = Gst.ElementFactory.make("webrtcbin", "peer")
        peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        pipeline.add(peer)
        super().__init__(pipeline, url, lambda: None)
        self.seen, self.on_enough = {"pictures": 0, "peak": 0.0}, on_enough
        for caps in (AUDIO, VIDEO):
            receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            peer.emit("add-transceiver", receive, Gst.Caps.from_string(caps))
        peer.connect("pad-added", self.pad)
        pipeline.get_bus().add_signal_watch()
        pipeline.get_bus().connect("message::element", self.level)

    def pad(self, _, pad):
        audio = pad.get_current_caps().get_structure(0).get_value("media") == "audio"
        sink = "audioconvert ! level interval=100000000 ! fakesink" if audio else "fakesink name=pictures signal-handoffs=true"
        part = Gst.parse_bin_from_description(f"decodebin name=in ! {sink}", False)
        inner = part.get_by_name("in").get_static_pad("sink")
        part.add_pad(Gst.GhostPad.new("sink", inner))
        if not audio:
            part.get_by_name("pictures").connect("handoff", self.picture)
        self.pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def picture(self, _, buffer, pad):
        size = pad.get_current_caps().get_structure(0)
        self.seen.update(width=size.get_value("width"), height=size.get_value("height"))
        self.seen["pictures"] += 1
        GLib.idle_add(self.enough)

    def level(self, _, message):
        structure = message.get_structure()
        if structure.get_name() == "level":
            peak = max(structure.get_value("peak"))
            self.seen["peak"] = max(self.seen["peak"], round(10 ** (peak / 20), 3))
            self.enough()

    def enough(self):
        if self.seen["pictures"] >= PICTURES_WANTED and self.seen["peak"] >= PEAK_WANTED:
            self.on_enough()


def main(whip, whep):
    Gst.init(None)
    loop = GLib.MainLoop()
    player = Player(whep, loop.quit)
    publisher = Peer(Gst.parse_launch(PUBLISH), whip, player.start)
    for index in range(2):
        transceiver = publisher.bin.emit("get-transceiver", index)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
    publisher.start()
    GLib.timeout_add_seconds(SECONDS_MAX, loop.quit)
    loop.run()
    for peer in publisher, player:
        names = "signaling-state", "ice-gathering-state", "ice-connection-state", "connection-state"
        print({name: peer.state(name) for name in names}, file=sys.stderr)
    print(json.dumps(player.seen))
    player.end()
    publisher.end()


main(*sys.argv[1:])
