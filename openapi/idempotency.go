package openapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// How long an answer is kept for its Idempotency-Key; how long one with secrets in it; and
// how long a request of several steps holds its key beyond its process' last sign of life.
const (
	keepAnswer = "24 hours"
	keepSecret = 10 * time.Minute
	leaseTime  = 6 * time.Second
)

// Write runs a write of one transaction in the store of the request. With an
// Idempotency-Key the answer is recorded in the same transaction, and a repetition is
// given the recorded answer. With dry_run everything is undone at the end. What another
// operation asks for happens in the transaction of that.
func Write(ctx context.Context, req *Request, db *postgres.DB, fn func(context.Context, *postgres.Tx) (*Response, error)) (*Response, error) {
	return write(ctx, req, db.InStore, storeAnswers, fn)
}

// WriteControl is Write for operations on the control database.
func WriteControl(ctx context.Context, req *Request, db *postgres.DB, fn func(context.Context, *postgres.Tx) (*Response, error)) (*Response, error) {
	return write(ctx, req, db.InControl, controlAnswers, fn)
}

type door func(context.Context, func(context.Context, *postgres.Tx) error) error

func write(ctx context.Context, req *Request, in door, table answers, fn func(context.Context, *postgres.Tx) (*Response, error)) (*Response, error) {
	if req.tx != nil {
		return fn(ctx, req.tx)
	}
	key, err := req.idempotencyKey(table)
	if err != nil {
		return nil, err
	}
	var res *Response
	err = in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if key != nil {
			replay, err := table.claim(ctx, tx, req, key, "done", 0)
			if err != nil || replay != nil {
				res = replay
				return err
			}
		}
		var err error
		if req.DryRun() {
			res, err = req.try(ctx, tx, fn)
			return err
		}
		if res, err = fn(ctx, tx); err != nil {
			return err
		}
		if key != nil {
			tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error { return table.record(ctx, tx, req, key, res) })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// Claim is an Idempotency-Key held for an effect of several transactions. The key is
// claimed first; the last transaction records the answer by Record. As long as the
// request is under way its lease is renewed. Of a process that died in between the lease
// runs out, and a repetition goes on where it stopped: the effect itself must know how to,
// also where the process was only slow and both go on.
type Claim struct {
	req   *Request
	key   []byte
	table answers
	in    door
	ended context.CancelFunc // ends the renewing
}

// Claiming claims the request's key in its store. When the request was answered before,
// it gives that answer and no claim.
func Claiming(ctx context.Context, req *Request, db *postgres.DB) (*Claim, *Response, error) {
	return claiming(ctx, req, db.InStore, storeAnswers)
}

// ClaimingControl claims the request's key in the control database.
func ClaimingControl(ctx context.Context, req *Request, db *postgres.DB) (*Claim, *Response, error) {
	return claiming(ctx, req, db.InControl, controlAnswers)
}

func claiming(ctx context.Context, req *Request, in door, table answers) (*Claim, *Response, error) {
	key, err := req.idempotencyKey(table)
	if err != nil {
		return nil, nil, err
	}
	claim := &Claim{req: req, key: key, table: table, in: in}
	if key == nil {
		return claim, nil, nil
	}
	var replay *Response
	err = in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		replay, err = table.claim(ctx, tx, req, key, "running", leaseTime)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if replay != nil {
		return nil, replay, nil
	}
	go claim.keep(claim.living(ctx))
	return claim, nil, nil
}

// living is the request's context until the claim ends.
func (c *Claim) living(ctx context.Context) context.Context {
	ctx, c.ended = context.WithCancel(ctx)
	return ctx
}

// keep renews the lease. That it could not be is no harm: another may go on with the
// effect then, as if this process had died.
func (c *Claim) keep(ctx context.Context) {
	renewals := time.NewTicker(leaseTime / 3)
	defer renewals.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-renewals.C:
		}
		_ = c.in(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, `update `+c.table.name+` set lease_until = now() + $2::interval where scope = $1 and state = 'running'`, c.key, leaseTime)
			return err
		})
	}
}

// Record writes the answer down, in the transaction that completes the effect.
func (c *Claim) Record(ctx context.Context, tx *postgres.Tx, res *Response) error {
	if c.key == nil {
		return nil
	}
	c.ended()
	return c.table.record(ctx, tx, c.req, c.key, res)
}

// Refuse writes a problem down as the answer, in the transaction that records the refusal:
// for what failed after it had begun, as a payment that was declined.
func (c *Claim) Refuse(ctx context.Context, tx *postgres.Tx, p *problem.Problem) error {
	return c.Record(ctx, tx, Refusal(c.req, p))
}

// Refusal is a problem as the answer of a write that is kept all the same: what it has written down
// says why it is refused.
func Refusal(req *Request, p *problem.Problem) *Response {
	return problemResponse(p, req.HTTP.URL.Path, req.ID)
}

// Release gives the key back after a refusal before anything had happened, so that it can
// be used again at once, for the same request or a better one.
func (c *Claim) Release(ctx context.Context) error {
	if c.key == nil {
		return nil
	}
	c.ended()
	return c.in(context.WithoutCancel(ctx), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `delete from `+c.table.name+` where scope = $1 and state = 'running'`, c.key)
		return err
	})
}

// idempotencyKey is the digest under which the request's answer is kept, or nil: of the
// key, of the token that tells shoppers apart who share a publishable key, and of what
// was asked for.
func (r *Request) idempotencyKey(table answers) ([]byte, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) >= 2 && strings.HasPrefix(key, `"`) && strings.HasSuffix(key, `"`) {
		key = key[1 : len(key)-1]
	}
	switch {
	case r.DryRun():
		return nil, nil
	case key == "" && r.Operation.Idempotent == "required":
		return nil, problem.New(problem.Invalid, "idempotency_key_required", "%s needs an Idempotency-Key.", r.Operation.ID).
			At("Idempotency-Key", "required", "Without it a repetition could do the same twice.")
	case key == "" || r.Operation.Idempotent == "":
		return nil, nil
	case len(key) > 255:
		return nil, problem.New(problem.Invalid, "invalid_request", "The Idempotency-Key is too long.").
			At("Idempotency-Key", "maxLength", "It has at most 255 characters.")
	}
	hash := sha256.New()
	for _, part := range []string{key, r.Header.Get("Cart-Token"), r.Header.Get("Customer-Token"), r.Operation.Method, r.HTTP.URL.Path, r.idempotencyOwner(table)} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hash.Sum(nil), nil
}

// idempotencyOwner keeps apart those whose answers lie in one table, where a key alone
// would be shared by all the world: a store's own table needs nothing more.
func (r *Request) idempotencyOwner(table answers) string {
	switch id := r.Caller.Principal.ID; {
	case table == storeAnswers && r.Caller.Principal.Kind == principal.Publishable && r.Header.Get("Cart-Token") == "" && r.Header.Get("Customer-Token") == "":
		return r.IP // all shoppers share the key, and must not be given each other's carts
	case table == storeAnswers:
		return ""
	case r.Caller.Store != nil:
		return r.Caller.Store.ID + "/" + string(r.Caller.Principal.Mode) + "/" + id
	case id != "":
		return id
	}
	var body struct{ Email, Token string } // whose it is, of those who have no other name yet
	_ = json.Unmarshal(r.Body, &body)
	return strings.ToLower(strings.TrimSpace(body.Email)) + body.Token
}

func (r *Request) fingerprint() []byte {
	sum := sha256.Sum256(r.Body)
	return sum[:]
}

// answers is a table of recorded answers.
type answers struct {
	name     string
	conflict string // its primary key
}

var (
	storeAnswers   = answers{"cell.idempotency", "store, scope"}
	controlAnswers = answers{"idempotency", "scope"}
)

// claim takes the key, or finds the answer that is recorded for it. Another transaction
// that holds the same key is waited for.
func (a answers) claim(ctx context.Context, tx *postgres.Tx, req *Request, key []byte, state string, lease time.Duration) (*Response, error) {
	tag, err := tx.Exec(ctx, `
		insert into `+a.name+` as kept (scope, fingerprint, state, lease_until) values ($1, $2, $3, now() + $4::interval)
		on conflict (`+a.conflict+`) do update
			set fingerprint = excluded.fingerprint, state = excluded.state, lease_until = excluded.lease_until,
				status = null, headers = null, body = null, secret_body = null, secret_until = null, created_at = now()
			where kept.created_at < now() - interval '`+keepAnswer+`'
				or (kept.state = 'running' and kept.lease_until <= now() and kept.fingerprint = excluded.fingerprint)`,
		key, req.fingerprint(), state, lease)
	if err != nil {
		return nil, fmt.Errorf("claim the idempotency key: %w", err)
	}
	if tag.RowsAffected() == 1 {
		return nil, nil
	}
	return a.replay(ctx, tx, req, key)
}

func (a answers) replay(ctx context.Context, tx *postgres.Tx, req *Request, key []byte) (*Response, error) {
	var fingerprint, headers, body, secret []byte
	var state string
	var status *int
	var until *time.Time
	err := tx.QueryRow(ctx, `select fingerprint, state, status, headers, body, secret_body, secret_until from `+a.name+` where scope = $1`, key).
		Scan(&fingerprint, &state, &status, &headers, &body, &secret, &until)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, inProgress()
	}
	if err != nil {
		return nil, fmt.Errorf("read the recorded answer: %w", err)
	}
	if !bytes.Equal(fingerprint, req.fingerprint()) {
		return nil, problem.New(problem.Unprocessable, "idempotency_key_reused", "This Idempotency-Key was used for a request with another body.")
	}
	if state != "done" || status == nil {
		return nil, inProgress()
	}
	res := &Response{Status: *status, Body: json.RawMessage(body), Header: http.Header{}}
	if len(body) == 0 {
		res.Body = nil
	}
	if err := json.Unmarshal(headers, &res.Header); err != nil {
		return nil, fmt.Errorf("headers of the recorded answer: %w", err)
	}
	if secret != nil && until != nil && time.Now().Before(*until) {
		plain, err := req.router.config.Sealer.Open(secret, a.binding(key))
		if err != nil {
			return nil, fmt.Errorf("open the recorded answer: %w", err)
		}
		res.Body, res.secret = json.RawMessage(plain), true
	} else if secret != nil || until != nil {
		res.With("Idempotent-Secrets", "removed")
	}
	return res.With("Idempotent-Replayed", "true"), nil
}

func inProgress() error {
	p := problem.New(problem.Conflict, "idempotency_in_progress", "A request with this Idempotency-Key is still under way.")
	p.RetryAfter = time.Second
	return p
}

func (a answers) binding(key []byte) string { return fmt.Sprintf("%s.secret_body/%x", a.name, key) }

func (a answers) record(ctx context.Context, tx *postgres.Tx, req *Request, key []byte, res *Response) error {
	body, err := res.bytes()
	if err != nil {
		return err
	}
	header := res.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if res.Version > 0 {
		header.Set("ETag", fmt.Sprintf(`"%d"`, res.Version))
	}
	headers, err := json.Marshal(header)
	if err != nil {
		return err
	}
	var secret []byte
	var until *time.Time
	if res.Redacted != nil {
		end := time.Now().Add(keepSecret)
		until = &end
		if secret, err = req.router.config.Sealer.Seal(body, a.binding(key)); err != nil {
			return fmt.Errorf("seal the answer: %w", err)
		}
		if body, err = (&Response{Body: res.Redacted}).bytes(); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `update `+a.name+` set state = 'done', status = $2, headers = $3, body = $4, secret_body = $5, secret_until = $6, lease_until = null
		where scope = $1`, key, res.Status, string(headers), body, secret, until)
	if err != nil {
		return fmt.Errorf("record the answer: %w", err)
	}
	return nil
}
