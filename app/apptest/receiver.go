package apptest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Receiver takes webhooks and remembers them.
type Receiver struct {
	URL string

	mu   sync.Mutex
	took []Delivery
}

// Delivery is a webhook as it arrived.
type Delivery struct {
	ID     string
	Header http.Header
	Body   []byte
}

// NewReceiver listens until the test ends.
func NewReceiver(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.took = append(r.took, Delivery{request.Header.Get("webhook-id"), request.Header, body})
		r.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Deliveries are those that have arrived, in their order.
func (r *Receiver) Deliveries() []Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.took)
}

// Delivered says whether an event has arrived.
func (r *Receiver) Delivered(eventID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.took, func(d Delivery) bool { return d.ID == eventID })
}

// Verify checks a delivery as Standard Webhooks has receivers do.
func (d Delivery) Verify(secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 {
		return fmt.Errorf("%q is no secret", secret)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", d.ID, d.Header.Get("webhook-timestamp"), d.Body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if !slices.Contains(strings.Fields(d.Header.Get("webhook-signature")), want) {
		return fmt.Errorf("signature %q of %s is not %s", d.Header.Get("webhook-signature"), d.ID, want)
	}
	var event struct{ ID string }
	if err := json.Unmarshal(d.Body, &event); err != nil || event.ID != d.ID {
		return fmt.Errorf("the body of %s is another event's: %s", d.ID, d.Body)
	}
	return nil
}
