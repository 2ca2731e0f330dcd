/** The unit of an image that brings none (spec system-containers 12), as a template. */

export interface DefaultUnitOptions {
  readonly scope: 'system' | 'user';
  /** As `isDetached(undefined, features)` has it. */
  readonly isDetached: boolean;
}

/** Lines whose variable would be empty are left out. */
export function defaultUnit({ scope, isDetached }: DefaultUnitOptions): Uint8Array {
  const lines = [
    '[Unit]',
    'Description=$NAME',
    '',
    '[Service]',
    // Without it systemd takes the end of the launcher for the end of the service.
    ...(isDetached ? ['Type=forking', 'PIDFile=$PIDFILE'] : []),
    'ExecStartPre=$EXEC_STARTPRE',
    'ExecStart=$EXEC_START',
    isDetached ? 'ExecStopPost=$EXEC_STOPPOST' : 'ExecStop=$EXEC_STOP',
    'Restart=on-failure',
    'WorkingDirectory=$DESTDIR',
    '',
    '[Install]',
    // The manager of a user has no multi-user.target.
    `WantedBy=${scope === 'user' ? 'default.target' : 'multi-user.target'}`,
    '',
  ];
  return Buffer.from(lines.join('\n'));
}
