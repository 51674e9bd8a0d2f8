package rates

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/signing"
)

const (
	// patience is how long all services together may take.
	patience = 3 * time.Second
	// maxAnswer is how long an answer may be.
	maxAnswer = 256 << 10
	// Pause is how long a service that failed is left alone, so that it does not slow each
	// request down.
	Pause = 30 * time.Second
)

// The outcomes of asking a service.
const (
	Answered = "answered"
	Invalid  = "invalid"   // an answer that is not believed
	TimedOut = "timed_out" // none in time
	Failed   = "failed"    // any other
)

// Service asks the services of the context's store, and keeps them.
type Service struct {
	DB     *postgres.DB
	Sealer postgres.Sealer
	Asked  func(kind Kind, outcome string, took time.Duration) // counts
	Log    *slog.Logger

	options egress.Options
	post    func(ctx context.Context, address, id string, body []byte, secret string) ([]byte, error)
}

// New makes the service. Options say which addresses may be reached.
func New(db *postgres.DB, sealer postgres.Sealer, options egress.Options, log *slog.Logger) *Service {
	options.Timeout, options.MaxBytes, options.UserAgent = patience, maxAnswer, "Stoa-Rates/1.0"
	client := egress.NewClient(options)
	return &Service{
		DB: db, Sealer: sealer, Log: log, Asked: func(Kind, string, time.Duration) {}, options: options,
		post: func(ctx context.Context, address, id string, body []byte, secret string) ([]byte, error) {
			return signing.Ask(ctx, client, address, id, body, secret)
		},
	}
}

// remote is a service at an address of the merchant's.
type remote struct {
	*Service
	address, secret string
}

// Rates asks it as a Carrier.
func (r remote) Rates(ctx context.Context, sale Sale) (out CarrierRates, err error) {
	return out, r.ask(ctx, sale, &out)
}

// Taxes asks it as a TaxService.
func (r remote) Taxes(ctx context.Context, sale Sale) (out Taxes, err error) {
	return out, r.ask(ctx, sale, &out)
}

func (r remote) ask(ctx context.Context, sale Sale, into any) error {
	body, err := json.Marshal(sale)
	if err != nil {
		return fmt.Errorf("write a question: %w", err)
	}
	answer, err := r.post(ctx, r.address, ids.New("rtq"), body, r.secret)
	if err != nil {
		return err
	}
	form := json.NewDecoder(bytes.NewReader(answer))
	form.DisallowUnknownFields() // a misspelt one would be a tax that nobody pays
	if err := form.Decode(into); err != nil || form.More() {
		return errAnswer("The answer is not JSON of the form that was asked for.")
	}
	return nil
}

// Question is what a service is asked.
type Question struct {
	Service ServiceID
	Sale    Sale
}

// asked is a service as it is read for asking it.
type asked struct {
	ID      ServiceID `json:"id"`
	Kind    Kind      `json:"kind"`
	URL     string    `json:"url"`
	Secret  []byte    `json:"secret"` // base64
	Resting bool      `json:"resting"`
}

var askedSQL = `select coalesce(json_agg(json_build_object('id', r.id, 'kind', r.kind, 'url', r.url, 'secret', translate(encode(r.secret, 'base64'), E'\n', ''),
	'resting', coalesce(r.failed_at > now() - ` + fmt.Sprintf("interval '%d seconds'", int(Pause.Seconds())) + `, false))), '[]')::text
	from rate_services r where r.id = any($1) and r.active`

// Ask puts all questions at once, outside of any transaction, and gives an answer to each
// by its service. What failed is an answer too, and the merchant is told why.
func (s *Service) Ask(ctx context.Context, questions []Question) (map[ServiceID]Answer, error) {
	wanted := make([]string, len(questions))
	for i, q := range questions {
		wanted[i] = string(q.Service)
	}
	raw, err := s.DB.JSON(ctx, askedSQL, wanted)
	if err != nil {
		return nil, fmt.Errorf("read rate services: %w", err)
	}
	var list []asked
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read rate services: %w", err)
	}
	known := map[ServiceID]asked{}
	for _, a := range list {
		known[a.ID] = a
	}
	call, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make([]Answer, len(questions))
	failures := make([]string, len(questions))
	var all sync.WaitGroup
	for i, q := range questions {
		all.Go(func() { answers[i], failures[i] = s.put(call, known[q.Service], q) })
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err // who asked has gone: that is no fault of the services'
	}
	out := map[ServiceID]Answer{}
	for i, q := range questions {
		out[q.Service] = answers[i]
		if failures[i] != "" {
			if err := s.failed(ctx, q.Service, failures[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// put asks one service. failure is why it gave no answer of use, where it was asked.
func (s *Service) put(ctx context.Context, a asked, q Question) (answer Answer, failure string) {
	var err error
	if a.ID != "" && !a.Resting {
		answer, err = s.call(ctx, a, q.Sale)
	}
	answer.Digest, answer.At = q.Sale.Digest(), clock.Now()
	if answer.Failed = a.ID == "" || a.Resting || err != nil; err == nil {
		return answer, ""
	}
	answer.Rates, answer.Taxes = CarrierRates{}, Taxes{}
	return answer, explained(err)
}

// call asks one service, and counts how that ended.
func (s *Service) call(ctx context.Context, a asked, sale Sale) (answer Answer, err error) {
	ref, _ := postgres.StoreFrom(ctx)
	secret, err := s.Sealer.Open(a.Secret, binding(ref, a.ID))
	if err != nil {
		return answer, fmt.Errorf("open the secret of %s: %w", a.ID, err)
	}
	began := time.Now()
	by := remote{s, a.URL, string(secret)}
	if a.Kind == TaxKind {
		answer, err = assess(ctx, by, sale)
	} else {
		answer, err = quote(ctx, by, sale)
	}
	outcome := Answered
	var timeout net.Error
	var invalid errAnswer
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		outcome = Invalid
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		outcome = TimedOut
	case ctx.Err() != nil:
		return answer, err // nobody waits for it any more
	default:
		outcome = Failed
	}
	s.Asked(a.Kind, outcome, time.Since(began))
	if err != nil {
		s.Log.WarnContext(ctx, "rate service gave no answer of use", "service", a.ID, "kind", a.Kind, "outcome", outcome, "reason", explained(err))
	}
	return answer, err
}

// failed notes that a service failed: it is left alone for a while, and its merchant reads
// why.
func (s *Service) failed(ctx context.Context, id ServiceID, failure string) error {
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, `update rate_services set failed_at = now(), failure = $2 where id = $1`, id, failure); err != nil {
			return fmt.Errorf("note that %s failed: %w", id, err)
		}
		return nil
	})
}

// explained is what the merchant is told of a failure.
func explained(err error) string {
	var invalid errAnswer
	if errors.As(err, &invalid) {
		return invalid.Error()
	}
	return egress.Explain(err)
}
