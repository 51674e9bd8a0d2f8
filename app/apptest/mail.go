package apptest

import (
	"context"
	"fmt"
	"html"
	"regexp"
	"time"
)

// mailPatience is how long a mail may be under way.
const mailPatience = 20 * time.Second

// MailParameter is a parameter of a link in the latest mail to an address that has it; a
// mail that is still under way is waited for.
func (p *Program) MailParameter(ctx context.Context, to, parameter string) (string, error) {
	link := regexp.MustCompile(`[?&]` + regexp.QuoteMeta(parameter) + `=([^&\s"'<>]+)`)
	deadline := time.Now().Add(mailPatience)
	for {
		for _, text := range Query[string](p, `select html from mailbox where lower(recipient) = lower($1) order by id desc`, to) {
			if m := link.FindStringSubmatch(html.UnescapeString(text)); m != nil {
				return m[1], nil
			}
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("no mail with %s came to %s", parameter, to)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
