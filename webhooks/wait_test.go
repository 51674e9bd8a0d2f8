package webhooks

import (
	"testing"
	"time"
)

func TestHowLongAReceiverAsksToWait(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "9999999": 24 * time.Hour, "99999999999999999999": 0,
		"Sun, 22 Nov 2026 09:31:00 GMT": time.Minute, "Sun, 22 Nov 2026 09:00:00 GMT": 0, "Sun, 22 Nov 2099 09:00:00 GMT": 24 * time.Hour,
	} {
		if got := askedFor(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
