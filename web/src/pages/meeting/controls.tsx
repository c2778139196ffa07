// The bar at the bottom: everything a person does in a meeting is one or two clicks from here.
import type { Call } from '../../call/call';
import * as settings from '../../settings';
import { text } from '../../text';
import { IconButton } from '../../ui/button';
import { EmojiRow } from '../../ui/emoji';
import { Item, Popup, Rule } from '../../ui/menu';
import { DevicePicker } from '../devices';
import { copyLink, endForAll, toggleFullScreen, toggleLayout, toggleShare } from './actions';
import { overlay, panel, togglePanel } from './state';

export function Controls({ call }: { call: Call }) {
  const t = text.value.meeting;
  const presenting = call.presenting.value;
  return (
    <div class="controls" role="group" aria-label={t.controls}>
      <div class="controls-middle">
        <Split call={call} kind="microphone" />
        <Split call={call} kind="camera" />
        <IconButton
          class={presenting ? 'stage-button on wide-only' : 'stage-button wide-only'}
          icon={presenting ? 'screenOff' : 'screen'}
          iconSize={22}
          label={presenting ? t.stopShare : t.share}
          aria-pressed={presenting}
          data-testid="share-button"
          onClick={() => void toggleShare(call)}
        />
        <HandButton call={call} />
        <ReactButton call={call} />
        <More call={call} />
        <Leave call={call} />
      </div>
      <div class="controls-end">
        <PanelButton call={call} which="people" />
        <PanelButton call={call} which="chat" />
      </div>
    </div>
  );
}

function Split({ call, kind }: { call: Call; kind: 'microphone' | 'camera' }) {
  const t = text.value.meeting;
  const microphone = kind === 'microphone';
  const on = microphone ? call.microphoneOn.value : call.cameraOn.value;
  const problem = microphone ? call.capture.microphoneProblem.value : call.capture.cameraProblem.value;
  const label = microphone ? (on ? t.mute : t.unmute) : on ? t.stopCamera : t.startCamera;
  return (
    <div class={on ? 'stage-split' : 'stage-split off'}>
      <IconButton
        class={on ? 'stage-button' : 'stage-button off'}
        icon={microphone ? (on ? 'microphone' : 'microphoneOff') : on ? 'camera' : 'cameraOff'}
        iconSize={22}
        label={label}
        aria-pressed={on}
        data-problem={problem ?? undefined}
        data-testid={microphone ? 'mic-toggle' : 'cam-toggle'}
        onClick={() => void (microphone ? call.setMicrophone(!on) : call.setCamera(!on))}
      />
      {microphone && on && <Level call={call} />}
      <Popup
        kind="dialog"
        label={t.deviceMenu(microphone ? t.microphone : t.camera)}
        trigger={(props) => (
          <IconButton
            {...props}
            class="stage-button chevron"
            icon="up"
            iconSize={14}
            tip="none"
            label={t.deviceMenu(microphone ? t.microphone : t.camera)}
            data-testid={microphone ? 'mic-menu' : 'cam-menu'}
          />
        )}
      >
        {() => (
          <div class="popup-pad">
            <DevicePicker call={call} />
          </div>
        )}
      </Popup>
    </div>
  );
}

/** A thread of green under the microphone: it hears you. */
function Level({ call }: { call: Call }) {
  return <i class="level-line" style={{ transform: `scaleX(${call.meter.level.value.toFixed(2)})` }} aria-hidden="true" />;
}

function HandButton({ call }: { call: Call }) {
  const t = text.value.meeting;
  const up = call.handUp.value;
  return (
    <IconButton
      class={up ? 'stage-button on' : 'stage-button'}
      icon="hand"
      iconSize={22}
      label={up ? t.lower : t.raise}
      aria-pressed={up}
      data-testid="hand-toggle"
      onClick={() => call.toggleHand()}
    />
  );
}

function ReactButton({ call }: { call: Call }) {
  const t = text.value.meeting;
  return (
    <Popup
      label={t.react}
      trigger={(props) => (
        <IconButton {...props} class="stage-button wide-only" icon="smile" iconSize={22} label={t.react} data-testid="react-button" />
      )}
    >
      {(close) => <EmojiRow choose={(emoji) => (close(), call.react(emoji))} />}
    </Popup>
  );
}

function More({ call }: { call: Call }) {
  const t = text.value.meeting;
  const speaker = settings.layout.value === 'speaker';
  const waiting = call.lobby.value.length;
  return (
    <Popup
      label={t.more}
      trigger={(props) => (
        <span class="with-dot">
          <IconButton {...props} class="stage-button" icon="more" iconSize={22} label={t.more} data-testid="more-button" />
          {waiting > 0 && <span class="dot narrow-only" />}
        </span>
      )}
    >
      {(close) => {
        const then = (run: () => void) => () => {
          close();
          run();
        };
        return (
          <>
            <div class="narrow-only">
              <EmojiRow choose={(emoji) => (close(), call.react(emoji))} />
              <Rule />
              <Item icon="people" tail={call.people.count.value} onSelect={then(() => togglePanel('people'))} testid="more-people">
                {t.people}
              </Item>
              <Item icon="screen" onSelect={then(() => void toggleShare(call))} testid="more-share">
                {call.presenting.value ? t.stopShare : t.share}
              </Item>
            </div>
            <Item icon={speaker ? 'grid' : 'speakerView'} onSelect={then(toggleLayout)} testid="layout-toggle">
              {`${t.layout}: ${speaker ? t.layoutGrid : t.layoutSpeaker}`}
            </Item>
            <Item icon="expand" onSelect={then(toggleFullScreen)}>
              {document.fullscreenElement ? t.leaveFullScreen : t.fullScreen}
            </Item>
            <Item icon="link" onSelect={then(() => void copyLink(call))}>
              {t.copyLink}
            </Item>
            {call.phones.reachable.value && (
              <Item icon="phone" onSelect={then(() => (overlay.value = 'dial-in'))} testid="open-dial-in">
                {text.value.phone.dialInHeading}
              </Item>
            )}
            <Item icon="statistics" onSelect={then(() => (overlay.value = 'polls'))} testid="open-polls">
              {text.value.poll.heading}
            </Item>
            <Rule />
            <Item icon="settings" onSelect={then(() => (overlay.value = 'settings'))} testid="open-settings">
              {t.settings}
            </Item>
            <Item icon="statistics" onSelect={then(() => (overlay.value = 'statistics'))} testid="open-statistics">
              {t.statistics}
            </Item>
            <Item icon="keyboard" onSelect={then(() => (overlay.value = 'shortcuts'))} testid="open-shortcuts">
              {t.shortcuts}
            </Item>
          </>
        );
      }}
    </Popup>
  );
}

function Leave({ call }: { call: Call }) {
  const t = text.value.meeting;
  if (!call.hosting.value)
    return (
      <IconButton class="stage-button leave" icon="leave" iconSize={24} label={t.leaveMeeting} data-testid="leave-button" onClick={() => call.leave()} />
    );
  return (
    <Popup
      label={t.leave}
      trigger={(props) => (
        <IconButton {...props} class="stage-button leave" icon="leave" iconSize={24} label={t.leave} data-testid="leave-button" />
      )}
    >
      {(close) => (
        <>
          <Item icon="leave" testid="leave-now" onSelect={() => call.leave()}>
            {t.leaveMeeting}
          </Item>
          <Item
            icon="close"
            danger
            testid="end-for-all"
            onSelect={() => {
              close();
              void endForAll(call);
            }}
          >
            {t.endForAll}
          </Item>
        </>
      )}
    </Popup>
  );
}

function PanelButton({ call, which }: { call: Call; which: 'people' | 'chat' }) {
  const t = text.value.meeting;
  const open = panel.value === which;
  const people = which === 'people';
  const count = people ? call.lobby.value.length : call.chat.unread.value;
  const label = people ? t.people : t.chat;
  return (
    <span class={people ? 'with-dot wide-only' : 'with-dot'}>
      <IconButton
        class={open ? 'stage-button plain on-open' : 'stage-button plain'}
        icon={which}
        iconSize={22}
        label={count > 0 ? `${label} (${people ? t.waitingPeople(count) : t.unread(count)})` : label}
        tip="above-end"
        aria-expanded={open}
        data-testid={`${which}-toggle`}
        onClick={() => togglePanel(which)}
      />
      {count > 0 && (
        <span class="count" aria-hidden="true" data-testid={`${which}-count`}>
          {count > 99 ? '99+' : count}
        </span>
      )}
    </span>
  );
}
