package handlers

import (
	"context"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/accounts"
)

// Account answers the operations on people's own accounts.
type Account struct {
	DB       *postgres.DB
	Accounts *accounts.Service
	Sessions *sessions.Manager
	Access   *access.Enforcer
}

// Operations are the handlers by operationId.
func (h *Account) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"getAccount":               h.get,
		"updateAccount":            h.update,
		"requestEmailVerification": h.requestVerification,
		"verifyEmail":              h.verifyEmail,
		"requestPasswordReset":     h.requestReset,
		"completePasswordReset":    h.reset,
		"changePassword":           h.changePassword,
		"requestEmailChange":       h.requestEmailChange,
		"confirmEmailChange":       h.confirmEmailChange,
		"startTotp":                h.startTOTP,
		"confirmTotp":              h.confirmTOTP,
		"removeTotp":               h.removeTOTP,
		"regenerateRecoveryCodes":  h.renewCodes,
		"listSessions":             h.listSessions,
		"revokeSession":            h.revokeSession,
		"listAccountStores":        h.listStores,
	}
}

func account(a accounts.Account) gen.Account {
	return gen.Account{
		ID: a.ID, Email: a.Email, EmailVerified: a.Verified, PendingEmail: orNil(a.PendingEmail), Name: orNil(a.Name),
		TOTPEnabled: a.TOTP, CreatedAt: a.CreatedAt,
	}
}

// claimed runs an effect that takes time outside of transactions, under the request's
// Idempotency-Key: the answer is recorded in the transaction that makes the effect count.
// What is refused gives the key back.
func claimed[T any](ctx context.Context, req *openapi.Request, db *postgres.DB, do func(context.Context, accounts.Recorder[T]) error, answer func(T) *openapi.Response) (*openapi.Response, error) {
	claim, replay, err := openapi.ClaimingControl(ctx, req, db)
	if err != nil || replay != nil {
		return replay, err
	}
	var res *openapi.Response
	err = do(ctx, func(ctx context.Context, tx *postgres.Tx, result T) error {
		res = answer(result)
		return claim.Record(ctx, tx, res)
	})
	if err != nil {
		_ = claim.Release(ctx) // unreleased, the key is free again when its lease ends
		return nil, err
	}
	return res, nil
}

// done is the answer of effects that have nothing to show.
func done(struct{}) *openapi.Response { return openapi.NoContent() }

// accepted is the answer where a mail may follow.
func accepted() *openapi.Response {
	return openapi.Accepted("", gen.Accepted{Status: gen.AcceptedStatusAccepted})
}

func (h *Account) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	a, err := h.Accounts.Get(ctx, req.Caller.Principal.ID)
	if err != nil {
		return nil, err
	}
	return openapi.OK(account(a)).Tagged(a.Version), nil
}

func (h *Account) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.AccountUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		a, err := h.Accounts.Rename(ctx, tx, req.Caller.Principal.ID, given(emptied(body.Name)), version)
		if err != nil {
			return nil, err
		}
		return openapi.OK(account(a)).Tagged(a.Version), nil
	})
}

func (h *Account) requestVerification(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return accepted(), h.Accounts.RequestVerification(ctx, tx, req.Caller.Principal.ID)
	})
}

func (h *Account) verifyEmail(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TokenConfirmation](req)
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		a, err := h.Accounts.VerifyEmail(ctx, tx, body.Token)
		if err != nil {
			return nil, err
		}
		return openapi.OK(account(a)), nil
	})
}

// requestReset answers the same whether or not the address is known, and in the same time.
func (h *Account) requestReset(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	defer accounts.Even(ctx, time.Now())
	body, err := openapi.Decode[gen.PasswordResetRequest](req)
	if err != nil {
		return nil, err
	}
	return openapi.WriteControl(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return accepted(), h.Accounts.RequestReset(ctx, tx, body.Email)
	})
}

func (h *Account) reset(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasswordResetCompletion](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[struct{}]) error {
		return h.Accounts.ResetPassword(ctx, accounts.ResetPassword{Token: body.Token, Password: body.Password, Code: given(body.Code)}, record)
	}, done)
}

func (h *Account) changePassword(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasswordChange](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[struct{}]) error {
		signed, err := h.Accounts.ChangePassword(ctx, accounts.ChangePassword{
			AccountID: req.Caller.Principal.ID, Current: body.CurrentPassword, New: body.NewPassword, Visit: visit(req),
		}, record)
		setCookie(req, signed)
		return err
	}, done)
}

func (h *Account) requestEmailChange(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.EmailChangeRequest](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[struct{}]) error {
		return h.Accounts.RequestEmailChange(ctx, accounts.ChangeEmail{AccountID: req.Caller.Principal.ID, Password: body.Password, Email: body.Email}, record)
	}, func(struct{}) *openapi.Response { return accepted() })
}

func (h *Account) confirmEmailChange(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TokenConfirmation](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[accounts.Account]) error {
		_, signed, err := h.Accounts.ConfirmEmailChange(ctx, body.Token, visit(req), record)
		setCookie(req, signed)
		return err
	}, func(a accounts.Account) *openapi.Response { return openapi.OK(account(a)) })
}

func (h *Account) startTOTP(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasswordConfirmation](req)
	if err != nil {
		return nil, err
	}
	e, err := h.Accounts.StartTOTP(ctx, req.Caller.Principal.ID, body.Password)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.TOTPEnrolment{Secret: e.Secret, URI: e.URI}), nil
}

func (h *Account) confirmTOTP(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TOTPConfirmation](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[[]string]) error {
		_, signed, err := h.Accounts.ConfirmTOTP(ctx, req.Caller.Principal.ID, body.Code, visit(req), record)
		setCookie(req, signed)
		return err
	}, recoveryCodes)
}

func (h *Account) removeTOTP(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TOTPRemoval](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[struct{}]) error {
		signed, err := h.Accounts.RemoveTOTP(ctx, accounts.RemoveTOTP{
			AccountID: req.Caller.Principal.ID, Password: body.Password, Code: body.Code, Visit: visit(req),
		}, record)
		setCookie(req, signed)
		return err
	}, done)
}

func (h *Account) renewCodes(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.PasswordConfirmation](req)
	if err != nil {
		return nil, err
	}
	return claimed(ctx, req, h.DB, func(ctx context.Context, record accounts.Recorder[[]string]) error {
		_, signed, err := h.Accounts.RenewCodes(ctx, req.Caller.Principal.ID, body.Password, visit(req), record)
		setCookie(req, signed)
		return err
	}, recoveryCodes)
}

// recoveryCodes are shown only now.
func recoveryCodes(codes []string) *openapi.Response {
	res := openapi.OK(gen.RecoveryCodes{Codes: codes})
	res.Redacted = gen.RecoveryCodes{Codes: []string{}}
	return res
}

func (h *Account) listSessions(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	all, err := h.Accounts.ListSessions(ctx, req.Caller.Principal.ID)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s sessions.Session) bool { return after != "" && s.ID >= after })
	list, next := page(all, req.Limit(adminPage), func(s sessions.Session) string { return s.ID })
	return openapi.List(req, converted(list, func(s sessions.Session) gen.SessionInfo {
		return gen.SessionInfo{
			ID: s.ID, Current: s.ID == req.Caller.Principal.SessionID, IP: orNil(s.IP), UserAgent: orNil(s.UserAgent),
			CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeen, ExpiresAt: s.ExpiresAt,
		}
	}), next)
}

func (h *Account) revokeSession(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	id := req.Param("session_id")
	if err := h.Accounts.RevokeSession(ctx, req.Caller.Principal.ID, id); err != nil {
		return nil, err
	}
	if id == req.Caller.Principal.SessionID {
		req.Writer.Add("Set-Cookie", sessions.NoCookie().String())
	}
	return openapi.NoContent(), nil
}

func (h *Account) listStores(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	var all []accounts.Membership
	err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		all, err = h.Accounts.MembershipsTx(ctx, tx, req.Caller.Principal.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(m accounts.Membership) bool { return m.StoreID <= after })
	list, next := page(all, req.Limit(adminPage), func(m accounts.Membership) string { return m.StoreID })
	return openapi.List(req, converted(list, membership(h.Access)), next)
}
