/** Statuses that are looked at here; all others (redirects, 429, 5xx, 407) are followed, repeated or reported by `http`. */
export function isAnswer(status: number): boolean {
  return (status >= 200 && status < 300) || (status >= 400 && status < 500 && status !== 429 && status !== 407);
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
