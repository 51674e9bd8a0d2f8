package webhooks

import (
	"time"

	"github.com/stoacommerce/stoa/platform/egress"
)

// Hasten has attempts end, and others follow, sooner than they would.
func (s *Service) Hasten(timeout time.Duration, schedule ...time.Duration) {
	s.Options.Timeout = timeout
	s.deliver, s.schedule = deliverer{egress.NewClient(s.Options)}, schedule
}
