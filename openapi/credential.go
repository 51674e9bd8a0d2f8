package openapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// The names that x-credentials uses.
const (
	credentialNone        = "none"
	credentialSession     = "session"
	credentialSecret      = "secret_key"
	credentialPublishable = "publishable_key"
	credentialOperator    = "operator_key"
)

// identify finds out who asks, by the one credential that the request carries.
func (rt *Router) identify(ctx context.Context, req *Request) (tenants.Caller, error) {
	op := req.Operation
	if key, ok := bearer(req.Header); ok {
		return rt.byKey(ctx, req, key)
	}
	cookie, err := req.HTTP.Cookie(rt.config.SessionCookie)
	if err == nil && cookie.Value != "" && op.Takes(credentialSession) {
		if err := rt.foreign.Check(req.HTTP); err != nil {
			return tenants.Caller{}, problem.New(problem.Forbidden, "cross_origin", "A browser may not send this from another site.")
		}
		caller, err := rt.config.Authenticator.Session(ctx, cookie.Value, req.Header.Get("Stoa-Store"), req.Header.Get("Stoa-Mode"))
		if err == nil || !op.Takes(credentialNone) || !problem.Is(err, "invalid_session") {
			return caller, err
		}
	}
	if op.Takes(credentialNone) {
		return tenants.Caller{Principal: principal.Principal{Kind: principal.Anonymous}}, nil
	}
	return tenants.Caller{}, unauthenticated(req, "missing_credential", "This needs a credential: "+strings.Join(op.Credentials, ", ")+". A key is given as Authorization: Bearer.")
}

func (rt *Router) byKey(ctx context.Context, req *Request, key string) (tenants.Caller, error) {
	op := req.Operation
	var caller tenants.Caller
	var err error
	var kind string
	switch {
	case strings.HasPrefix(key, "stoa_op_"):
		kind = credentialOperator
		caller, err = rt.config.Authenticator.Operator(ctx, key)
	case strings.HasPrefix(key, "stoa_pk_"), strings.HasPrefix(key, "stoa_sk_"), strings.HasPrefix(key, "stoa_rk_"):
		kind = credentialSecret
		if strings.HasPrefix(key, "stoa_pk_") {
			kind = credentialPublishable
		}
		caller, err = rt.config.Authenticator.Key(ctx, key, tenants.Origin{IP: req.IP, Origin: req.Header.Get("Origin")})
	case key == "":
		return caller, unauthenticated(req, "invalid_key", "A key is given as Authorization: Bearer, followed by the key.")
	default:
		return caller, unauthenticated(req, "invalid_key", "This is not a key of Stoa.")
	}
	if err != nil {
		if p := problem.As(err); p != nil && p.Kind == problem.Unauthenticated {
			return caller, unauthenticated(req, p.Code, p.Detail)
		}
		return caller, err
	}
	if !op.Takes(kind) {
		return caller, problem.New(problem.Forbidden, "wrong_credential", "%s does not take a %s; it takes: %s.",
			op.ID, strings.ReplaceAll(kind, "_", " "), strings.Join(op.Credentials, ", "))
	}
	return caller, nil
}

// bearer is the key of the Authorization header.
func bearer(header http.Header) (string, bool) {
	scheme, key, found := strings.Cut(header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", header.Get("Authorization") != ""
	}
	return strings.TrimSpace(key), true
}

func unauthenticated(req *Request, code, detail string) error {
	req.Writer.Set("WWW-Authenticate", `Bearer realm="stoa"`)
	return problem.New(problem.Unauthenticated, code, "%s", detail)
}
