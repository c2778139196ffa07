import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Call } from './call/call';
import { load, session } from './account';
import { AccountPage } from './pages/account';
import { ConfirmPage } from './pages/confirm';
import { Home } from './pages/home';
import { Lobby } from './pages/lobby';
import { MeetingPage } from './pages/meeting/page';
import { Missing, Over } from './pages/over';
import { Prejoin } from './pages/prejoin';
import { SharedPage } from './pages/shared';
import { Forgotten, SignUp } from './pages/letters';
import { Setup, SignIn } from './pages/sign_in';
import { Shell } from './pages/spaces/shell';
import { SpacePage } from './pages/spaces/space';
import { GuestPage, TakePage } from './pages/spaces/take';
import { expose } from './hook';
import { tell, tellUpdate } from './pages/notices';
import { invitationOf, meetingOf, path, shareOf, spaceOf } from './route';
import { text, zone } from './text';
import { Confirmations } from './ui/dialog';
import { Toasts } from './ui/toast';
import { knownZone } from './util/zone';

const pages: Record<string, () => JSX.Element> = {
  '/sign-in': SignIn,
  '/setup': Setup,
  '/account': AccountPage,
  '/sign-up': SignUp,
  '/forgotten': Forgotten,
  '/confirm': ConfirmPage,
};

export function App() {
  useEffect(() => {
    load().catch(() => (session.value = null));
  }, []);
  useSignalEffect(tellUpdate);
  useSignalEffect(() => {
    zone.value = knownZone(session.value?.user.zone ?? '');
  });
  return (
    <>
      <Page />
      <Toasts />
      <Confirmations />
    </>
  );
}

function Page() {
  const meeting = meetingOf(path.value);
  if (meeting) return <Room key={meeting} id={meeting} />;
  const share = shareOf(path.value);
  if (share) return <SharedPage key={share} token={share} />;
  if (path.value === '/' && !session.value) return <Home />;
  const space = spaceOf(path.value);
  const invitation = invitationOf(path.value);
  const Named = pages[path.value];
  if (!Named && !space && !invitation && path.value !== '/') return <Missing what="page" />;
  if (session.value === undefined) return null;
  if (Named) return <Named />;
  if (invitation && (session.value === null || session.value.guest)) return <GuestPage key={invitation} token={invitation} />;
  if (session.value === null) return <SignIn />;
  return (
    <Shell key={session.value.user.id}>
      {space ? <SpacePage key={space} id={space} /> : invitation ? <TakePage token={invitation} /> : <Home inside />}
    </Shell>
  );
}

/** A meeting from its pre-join page to its end; joining again begins anew. */
function Room({ id }: { id: string }) {
  const [round, setRound] = useState(0);
  return <OneCall key={round} id={id} again={() => setRound(round + 1)} />;
}

function OneCall({ id, again }: { id: string; again(): void }) {
  const [call] = useState(() => new Call(id));
  useEffect(() => {
    call.onnotice = (notice) => tell(call, notice);
    call.prepare();
    expose(call);
    return () => {
      call.dispose();
      expose(null);
    };
  }, [call]);
  useSignalEffect(() => {
    const title = call.meeting.value?.title || call.info.value?.title;
    document.title = title ? `${title} · Parley` : 'Parley';
  });
  switch (call.phase.value) {
    case 'prejoin':
    case 'joining':
      return <Prejoin call={call} />;
    case 'lobby':
      return <Lobby call={call} />;
    case 'live':
      return <MeetingPage call={call} />;
    case 'over':
      void text.value;
      return call.over.value === 'not_found' ? (
        <Missing what="meeting" />
      ) : (
        <Over reason={call.over.value ?? 'left'} again={again} />
      );
  }
}
