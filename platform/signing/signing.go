// Package signing signs requests to addresses that a merchant chose, as Standard Webhooks
// 1.0.0 has it, so that who answers there knows whose they are.
package signing

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
)

// NewSecret draws a secret to sign with.
func NewSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// Request is a POST of JSON that is known by its ID, signed by each of the secrets.
func Request(ctx context.Context, address, id string, at time.Time, body []byte, secrets ...string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, &egress.Refused{Reason: egress.BadURL, Detail: "The address cannot be used."}
	}
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, fmt.Errorf("use a signing secret: %w", err)
		}
		if signatures[i], err = signer.Sign(id, at, body); err != nil {
			return nil, fmt.Errorf("sign %s: %w", id, err)
		}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return request, nil
}

// Ask sends such a request by a client of egress and gives the whole answer, bounded as
// the client is. Any other than a 200 is an egress.Status.
func Ask(ctx context.Context, client *http.Client, address, id string, body []byte, secrets ...string) ([]byte, error) {
	request, err := Request(ctx, address, id, clock.Now(), body, secrets...)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, egress.Status(response.StatusCode)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return answer, nil
}
