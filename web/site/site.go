package site

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/stoacommerce/stoa/platform/cache"
	"github.com/stoacommerce/stoa/platform/colors"
	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sessions"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/accounts"
	"github.com/stoacommerce/stoa/tenants/mailbox"
	"github.com/stoacommerce/stoa/tenants/members"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/web/admin"
	"github.com/stoacommerce/stoa/web/page"
)

// Sessions finds out who is signed in; tenants/credentials does.
type Sessions interface {
	Session(ctx context.Context, token, storeID, mode string) (tenants.Caller, error)
}

// Stores knows what there is of a store; tenants/stores does.
type Stores interface {
	Get(ctx context.Context, id string) (stores.Record, error)
}

// Config is what the site is made of. Mailbox is nil where there is no page for it;
// Limiter and Observer may be nil.
type Config struct {
	DB       *postgres.DB
	Accounts *accounts.Service
	Members  *members.Service
	Stores   Stores
	Sessions Sessions
	Mailbox  *mailbox.Service
	Admin    http.Handler // the back office; web/admin is it
	Limiter  *page.Limiter
	Log      *slog.Logger

	PublicURL *url.URL                              // the platform's own address
	StoreURL  func(label string) *url.URL           // the address of the shop whose host begins with a label
	Observer  func(name string) httpserver.Observer // counts the requests of a page by its name
}

// Site serves the platform's own host.
type Site struct {
	config  Config
	mux     *http.ServeMux
	shared  *cache.Cache[*page.Rendered]
	foreign *http.CrossOriginProtection
}

// Pages that are the same for everyone depend on nothing but the program itself.
const (
	pageLife  = 10 * time.Minute
	pageBytes = 8 << 20
)

//go:embed site.css
var siteCSS string

var (
	style = page.Stylesheet("site", colors.Hex("#9c4328"), siteCSS)
	icon  = page.NewAsset("icon", ".svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#9c4328"/><g fill="#fff"><path d="M32 11 55 23v4H9v-4z"/><path d="M13 30h7v18h-7zM28.500 30h7v18h-7zM44 30h7v18h-7zM9 51h46v4H9z"/></g></svg>`))
)

// New makes the site.
func New(config Config) (*Site, error) {
	s := &Site{
		config: config, mux: http.NewServeMux(), shared: cache.New[*page.Rendered](pageLife, pageBytes),
		foreign: http.NewCrossOriginProtection(),
	}
	s.page("GET /{$}", "start", s.start)
	s.page("GET /sign-up", "signup", s.signUpForm)
	s.page("POST /sign-up", "signup.send", s.signUp)
	s.page("GET /sign-in", "signin", s.signInForm)
	s.page("POST /sign-in", "signin.send", s.signIn)
	s.page("POST /sign-out", "signout", s.signOut)
	s.page("GET /stores", "stores", s.stores)
	s.page("POST /verify-email/send", "verify.send", s.sendVerification)
	s.mailPages()
	if config.Mailbox != nil {
		s.page("GET /mailbox", "mailbox", s.mails)
		s.page("GET /mailbox/{mail}", "mailbox.mail", s.mail)
		s.page("GET /mailbox/{mail}/html", "mailbox.html", s.mailHTML)
	}
	if err := s.docs(); err != nil {
		return nil, err
	}
	s.page("GET "+admin.Path, "admin", s.admin)
	s.page("GET "+admin.Path+"/", "admin", s.admin)
	s.page("GET /robots.txt", "robots", robots)
	s.page("GET /favicon.ico", "asset", asset(icon))
	s.page("GET "+icon.Path, "asset", asset(icon))
	s.page("/", "missing", func(w http.ResponseWriter, r *http.Request) error { return problem.Missing("page") })
	return s, nil
}

func asset(a *page.Asset) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		a.ServeHTTP(w, r)
		return nil
	}
}

// admin serves the back office, with all of its addresses.
func (s *Site) admin(w http.ResponseWriter, r *http.Request) error {
	s.config.Admin.ServeHTTP(w, r)
	return nil
}

func robots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, err := w.Write([]byte("User-agent: *\nDisallow: /admin\nDisallow: /mailbox\nDisallow: /stores\n"))
	return err
}

// page mounts a page, whose errors become pages of their own.
func (s *Site) page(pattern, name string, serve func(http.ResponseWriter, *http.Request) error) {
	var observer httpserver.Observer
	if s.config.Observer != nil {
		observer = s.config.Observer("site." + name)
	}
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		x := httpserver.From(r.Context())
		x.Operation, x.Observer = "site."+name, observer
		if err := serve(w, r); err != nil {
			s.failed(w, r, err)
		}
	})
}

// ServeHTTP answers a request to the platform's own host.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := httpserver.From(r.Context())
	who := principal.Principal{Kind: principal.Anonymous, Label: "visitor", RequestID: x.ID, UserAgent: x.Agent}
	if x.Client.Addr.IsValid() {
		who.IP = x.Client.Addr.String()
	}
	r = r.WithContext(principal.With(r.Context(), who))
	if err := s.foreign.Check(r); err != nil {
		s.say(w, r, http.StatusForbidden, "This form came from elsewhere", "For your safety, forms are only taken from our own pages. Go back and try again.")
		return
	}
	// The stylesheet of a former version may still be named by a page that somebody kept.
	if r.Method == http.MethodGet && isStyle(r.URL.Path) {
		style.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func isStyle(path string) bool {
	const name, end = "/site.", ".css"
	return len(path) > len(name)+len(end) && path[:len(name)] == name && path[len(path)-len(end):] == end
}

// failed answers with a page that says what went wrong, as far as it may be told.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.As(err)
	switch {
	case p != nil && p.Kind == problem.NotFound:
		s.say(w, r, http.StatusNotFound, "This page is not here", "Please check how the address is written.")
	case p != nil && p.Kind == problem.Limited:
		w.Header().Set("Retry-After", strconv.Itoa(int(max(p.RetryAfter, time.Second)/time.Second)))
		s.say(w, r, http.StatusTooManyRequests, "One moment, please", "There were too many requests from your network. Please wait a little and try again.")
	case p != nil && (p.Kind == problem.Unavailable || p.Kind == problem.DeadlineExceeded):
		s.config.Log.WarnContext(r.Context(), "a page could not be made", "error", err)
		w.Header().Set("Retry-After", "5")
		s.say(w, r, http.StatusServiceUnavailable, "We cannot do this at the moment", "Please try again in a moment.")
	case p != nil && p.Kind < problem.Internal:
		s.say(w, r, int(p.Kind), "That did not work", p.Detail)
	case errors.Is(err, context.Canceled):
		w.WriteHeader(499) // the visitor is gone; nobody reads this
	default:
		s.config.Log.ErrorContext(r.Context(), "a page failed", "error", err)
		s.say(w, r, http.StatusInternalServerError, "Something went wrong on our side", "It has been noted. Please try again in a moment.")
	}
}

// say answers with a page that says one thing.
func (s *Site) say(w http.ResponseWriter, r *http.Request, status int, heading, text string) {
	if err := page.Personal(w, r, status, message(s.head(heading), heading, text)); err != nil {
		s.config.Log.ErrorContext(r.Context(), "a message failed", "error", err)
	}
}

// keep answers with a page that is the same for everyone.
func (s *Site) keep(w http.ResponseWriter, r *http.Request, name string, c templ.Component) error {
	return s.keepWith(w, r, page.Policy, name, c)
}

func (s *Site) keepWith(w http.ResponseWriter, r *http.Request, policy, name string, c templ.Component) error {
	if err := s.config.Limiter.Take(r.Context(), page.Ordinary, ""); err != nil {
		return err
	}
	p, err := s.shared.Get(r.Context(), name, func(ctx context.Context) (*page.Rendered, error) { return page.Render(ctx, c) })
	if err != nil {
		return err
	}
	page.SharedWith(w, r, policy, p)
	return nil
}

// head is what stands around a page.
type head struct {
	Title   string
	Signed  string // the e-mail address of who is signed in, on pages of theirs
	Mailbox bool   // there is one
	Base    string // the platform's own address
}

func (s *Site) head(title string) head {
	u := s.config.PublicURL
	return head{Title: title, Mailbox: s.config.Mailbox != nil, Base: u.Scheme + "://" + u.Host}
}

// start says what this is.
func (s *Site) start(w http.ResponseWriter, r *http.Request) error {
	return s.keep(w, r, "start", start(s.head("")))
}

// token is the session's token that the browser came with, if any.
func token(r *http.Request) string {
	c, err := r.Cookie(sessions.CookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// who is whom the browser's session belongs to; nobody when it has none that still goes
// on. An error means that nobody can tell.
func (s *Site) who(r *http.Request) (tenants.Caller, error) {
	if token(r) == "" {
		return tenants.Caller{}, nil
	}
	caller, err := s.config.Sessions.Session(r.Context(), token(r), "", "")
	if p := problem.As(err); p != nil && p.Kind == problem.Unauthenticated {
		return tenants.Caller{}, nil
	}
	return caller, err
}

// as has a signed-in person act from here on.
func as(r *http.Request, caller tenants.Caller) context.Context {
	who, visitor := caller.Principal, principal.From(r.Context())
	who.IP, who.RequestID = visitor.IP, visitor.RequestID
	return principal.With(r.Context(), who)
}
