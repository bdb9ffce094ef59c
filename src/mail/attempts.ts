/**
 * How often a mail is tried before it is given up: with the queue's pauses (e, e², … up to e¹⁰ seconds, six hours) over more
 * than a day and a half.
 */
export const MAIL_ATTEMPTS = 15;

/** How often the queue takes a job at most: attempts that a dying worker cut short do not count as the mail's last. */
export const QUEUE_ATTEMPTS = 25;
