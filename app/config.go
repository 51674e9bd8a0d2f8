package app

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Environment is what kind of place the program runs in; it decides what is allowed.
type Environment string

// The environments.
const (
	Development Environment = "development" // one machine, everything embedded unless given
	Staging     Environment = "staging"     // production's rules towards the outside, laxer within
	Production  Environment = "production"  // refuses everything that is only fit for trying out
)

// Config is everything that can be set from outside, one struct per part. Make it with
// LoadConfig; what it holds then was validated as a whole.
type Config struct {
	Env      Environment
	DataDir  string // absolute
	Site     SiteConfig
	HTTP     HTTPConfig
	Domains  DomainsConfig
	Ops      OpsConfig
	Database DatabaseConfig
	Redis    RedisConfig
	Files    FilesConfig
	Mail     MailConfig
	Security SecurityConfig
	Stripe   StripeConfig
	Jobs     JobsConfig
	Backup   BackupConfig
	API      APIConfig
	Log      LogConfig
	Trace    TraceConfig

	// Warnings are things that hinder no start but look like a mistake.
	Warnings []string
	// Settings tell what is in force and why, for people.
	Settings []Setting
}

// A Setting is one variable's value as a text, redacted when it is a secret, and where it
// came from: the variable, its file, a flag, or "default".
type Setting struct {
	Variable, Value, Source string
}

// SiteConfig is under which names the platform is reached.
type SiteConfig struct {
	// BaseDomain is the platform's own host; a store's shop is at <address>.<BaseDomain>.
	BaseDomain string
	// PublicURL is how the platform's own pages and the API are reached from outside.
	PublicURL *url.URL
}

// StoreURL is the address of the shop of the store with this address.
func (c SiteConfig) StoreURL(address string) *url.URL { return c.at(address + "." + c.BaseDomain) }

// ShopURL is the address of a side of a store, without a slash at the end: at its own domain
// where it is at one.
func (c SiteConfig) ShopURL(store *tenants.Store) string {
	host := store.Domain
	if host == "" {
		host = stores.HostLabel(store.Address, store.Ref.Mode == principal.Test) + "." + c.BaseDomain
	}
	return strings.TrimSuffix(c.at(host).String(), "/")
}

// at is an address beside the platform's own.
func (c SiteConfig) at(host string) *url.URL {
	if port := c.PublicURL.Port(); port != "" {
		host += ":" + port
	}
	return &url.URL{Scheme: c.PublicURL.Scheme, Host: host, Path: "/"}
}

// HTTPConfig is the public listener.
type HTTPConfig struct {
	Addr           string
	TrustedProxies []netip.Prefix // whose X-Forwarded-* and Request-Id are believed
	ReadTimeout    time.Duration  // for a whole request, body included
	RequestTimeout time.Duration  // for answering it
	IdleTimeout    time.Duration  // of a kept-alive connection
	MaxBody        int64          // bytes
	MaxUpload      int64          // bytes, for operations that take files
	DrainDelay     time.Duration  // unready but still serving, until balancers have noticed
	DrainTimeout   time.Duration  // for what is under way at shutdown
}

// DomainsConfig is merchants' own domains, and their certificates.
type DomainsConfig struct {
	Addresses []netip.Addr // where they are to lead
	Target    string       // the host that subdomains are made aliases of
	Server    string       // of the domain name system; empty for this machine's own
	Authority *url.URL     // directory of the certificate authority; nil for none
	Email     string       // that it may write to
	PerHour   int          // certificates, at most
	Folder    string       // where they are kept for Nginx, absolute; empty for none
}

// Resolver looks names up.
func (c DomainsConfig) Resolver() *net.Resolver {
	if c.Server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, c.Server)
	}}
}

// OpsConfig is the operations listener: health, metrics, profiles.
type OpsConfig struct {
	Addr string
}

// DatabaseConfig is the control database and the cells.
type DatabaseConfig struct {
	// URL is the control database's; empty starts an embedded Postgres.
	URL         secrets.Redacted
	Connections int
	// Cells hold the stores; with a URL and no cells given there is one, "main", in the
	// control database.
	Cells           []CellConfig
	CellLogins      int // of each cell
	CellConnections int // of each login
	CellMaxStores   int
	CellMaxBytes    string // as it was given
	ReadyStores     int    // schemas kept ready in each cell, so that sign-up is quick
}

// Embedded says whether the program has to start a Postgres of its own.
func (c DatabaseConfig) Embedded() bool { return c.URL.Empty() }

// CellConfig is one cell: a name for ever, and how it is reached as its administrator.
type CellConfig struct {
	Name string
	URL  secrets.Redacted
}

// RedisConfig is the Redis of limits, sessions and revocations.
type RedisConfig struct {
	URL secrets.Redacted // empty starts an embedded one
}

// Embedded says whether the program has to start a Redis of its own.
func (c RedisConfig) Embedded() bool { return c.URL.Empty() }

// FilesConfig is where files lie.
type FilesConfig struct {
	Dir   string           // uploaded files, absolute
	URL   secrets.Redacted // of a bucket in its place, s3:// or s3+http://; empty for the folder
	Fonts string           // fonts beside the program's own, absolute
}

// MailConfig is how mail leaves.
type MailConfig struct {
	SMTP    secrets.Redacted // smtp:// or smtps:// URL; empty keeps mail in the mailbox
	From    string
	Mailbox bool // a page that shows all mail, for development
}

// SecurityConfig is keys and what protects accounts and others' networks.
type SecurityConfig struct {
	// Keys is the ring that secrets at rest are sealed with, as secrets.ParseRing reads
	// it; empty in development, where one is made and kept in DataDir.
	Keys             secrets.Redacted
	BcryptCost       int
	WebhookAllowHTTP bool // plain HTTP and private addresses, for development
}

// StripeConfig is the platform's own account with Stripe. Without keys, stores can be paid
// by Stripe only by keys of their own.
type StripeConfig struct {
	Secret, TestSecret           secrets.Redacted
	Publishable, TestPublishable string
	WebhookSecrets               secrets.Redacted // separated by commas
	APIBase                      *url.URL
}

// JobsConfig is the background work.
type JobsConfig struct {
	Workers    int  // at once, in each cell
	WithWorker bool // `stoa serve` works too
}

// APIConfig is how the API checks itself.
type APIConfig struct {
	ResponseSample float64 // share of the answers that are held against the contract
}

// LogConfig is the log.
type LogConfig struct {
	Level  slog.Level
	Format string // json or text
}

// TraceConfig is OpenTelemetry; off without an endpoint.
type TraceConfig struct {
	Endpoint *url.URL
	Ratio    float64 // share of the requests that are traced
}
