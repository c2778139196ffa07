import type { ComponentChildren, JSX } from 'preact';
import { forwardRef } from 'preact/compat';
import { Icon, type IconName } from './icons';

type Native = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'size' | 'icon'>;

interface ButtonProps extends Native {
  variant?: 'primary' | 'secondary' | 'ghost' | 'danger';
  size?: 'small' | 'medium' | 'large';
  icon?: IconName;
  busy?: boolean;
  wide?: boolean;
  children?: ComponentChildren;
}

export function Button({ variant = 'secondary', size = 'medium', icon, busy, wide, children, class: extra, ...rest }: ButtonProps) {
  const classes = ['button', variant, size !== 'medium' && size, wide && 'wide', extra];
  return (
    <button type="button" {...rest} class={classes.filter(Boolean).join(' ')} aria-busy={busy || undefined}>
      {busy ? <span class="spinner" /> : icon && <Icon name={icon} size={size === 'small' ? 16 : 18} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Native {
  icon: IconName;
  label: string;
  iconSize?: number;
  small?: boolean;
  /** Where the label's bubble goes when there is no room above. */
  tip?: 'above' | 'below' | 'below-end' | 'above-end' | 'none';
}

export const IconButton = forwardRef<HTMLButtonElement, IconButtonProps>(function IconButton(
  { icon, label, iconSize = 20, small, tip = 'above', class: extra, ...rest },
  ref,
) {
  return (
    <button
      type="button"
      {...rest}
      ref={ref}
      class={['icon-button', small && 'small', extra].filter(Boolean).join(' ')}
      aria-label={label}
      data-tip={tip === 'none' ? undefined : label}
      data-tip-below={tip.startsWith('below') ? '' : undefined}
      data-tip-end={tip.endsWith('end') ? '' : undefined}
    >
      <Icon name={icon} size={iconSize} />
    </button>
  );
});
