// Things that happen in a call and that a person is told once. The pages find the words.
import type { Role } from '../gateway/frames';
import type { CaptureKind } from './capture';
import type { DeviceProblem } from './problems';

export type Notice =
  | { kind: 'joined' | 'left' | 'hand'; name: string }
  | { kind: 'knock'; id: string; name: string }
  | { kind: 'chat'; name: string; text: string }
  | { kind: 'muted' | 'asked_unmute' | 'taken_over'; by: string }
  | { kind: 'stopped'; by: string; what: 'camera' | 'screen' }
  | { kind: 'poll'; question: string }
  | { kind: 'role'; role: Role }
  | { kind: 'device'; device: CaptureKind; problem: DeviceProblem }
  | { kind: 'device_gone'; device: CaptureKind; replaced: boolean }
  | { kind: 'refused'; code: string; text: string }
  | { kind: 'talking_muted' | 'share_failed' | 'back' };
