package app

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// An option is one thing that can be set: its variable, its flag (the variable's name in
// flag style; secrets have none, for the list of processes shows flags to everyone),
// its default, and how its text becomes a value.
type option struct {
	variable string
	group    string
	initial  string // as text; what an environment changes stands in byEnvironment
	form     string // what a right value looks like, for the reference and for errors
	doc      string
	secret   bool
	set      func(c *Config, text string) error

	byEnvironment map[Environment]string
}

// flag is the option's name on the command line; empty for secrets.
func (o *option) flag() string {
	if o.secret {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(o.variable, "STOA_")), "_", "-")
}

// defaultIn is the option's value in an environment when nothing is set.
func (o *option) defaultIn(env Environment) string {
	if v, ok := o.byEnvironment[env]; ok {
		return v
	}
	return o.initial
}

// outside is a default that holds in staging and production.
func outside(value string) map[Environment]string {
	return map[Environment]string{Staging: value, Production: value}
}

// The groups of the reference, in order.
const (
	groupPlace    = "Place"
	groupHTTP     = "HTTP"
	groupDomains  = "Merchants’ own domains"
	groupDatabase = "Database"
	groupRedis    = "Redis, files and mail"
	groupSecurity = "Security"
	groupPayments = "Payments"
	groupWork     = "Work"
	groupSeeing   = "Seeing"
)

var groups = []string{groupPlace, groupHTTP, groupDomains, groupDatabase, groupRedis, groupSecurity, groupPayments, groupWork, groupKeeping, groupSeeing}

// options is the whole table: what LoadConfig reads, the flags, and the reference all
// come from it. STOA_ENV stands first, for the others' defaults hang on it.
var options = append([]option{
	{variable: "STOA_ENV", group: groupPlace, initial: "development", form: "development, staging or production",
		doc: "What kind of place this is. Production refuses embedded services, generated or well-known secrets, plain-HTTP webhooks and the mailbox page.",
		set: oneOf(func(c *Config) *Environment { return &c.Env }, Development, Staging, Production)},
	{variable: "STOA_DATA_DIR", group: groupPlace, initial: ".stoa", form: "a folder",
		doc: "Where embedded services, generated keys and, unless STOA_FILES_DIR says otherwise, uploaded files are kept.",
		set: folder(func(c *Config) *string { return &c.DataDir })},
	{variable: "STOA_BASE_DOMAIN", group: groupPlace, initial: "localhost", form: "a host name, such as shops.example",
		doc: "The platform's own host. A store's shop is at <address>.<base domain>.",
		set: hostName(func(c *Config) *string { return &c.Site.BaseDomain })},
	{variable: "STOA_PUBLIC_URL", group: groupPlace, form: "http:// or https://, a host, and a port where it is not the usual one",
		doc: "How the platform is reached from outside, for links in pages and mails. Unless set: http://<base domain>:<port of STOA_HTTP_ADDR> in development, https://<base domain> elsewhere.",
		set: address(func(c *Config) **url.URL { return &c.Site.PublicURL }, "http", "https")},

	{variable: "STOA_HTTP_ADDR", group: groupHTTP, initial: ":8080", form: "host:port, such as :8080 or 127.0.0.1:8080",
		doc: "Where pages and the API are served.",
		set: listener(func(c *Config) *string { return &c.HTTP.Addr })},
	{variable: "STOA_TRUSTED_PROXIES", group: groupHTTP, form: "addresses or networks, separated by commas, such as 10.0.0.0/8,::1",
		doc: "Whose X-Forwarded-For, -Proto, -Host and Request-Id are believed. Everyone else's are ignored.",
		set: networks},
	{variable: "STOA_READ_TIMEOUT", group: groupHTTP, initial: "30s", form: "a duration from 1s to 10m",
		doc: "How long a client may take to send a request, its body included.",
		set: duration(func(c *Config) *time.Duration { return &c.HTTP.ReadTimeout }, time.Second, 10*time.Minute)},
	{variable: "STOA_REQUEST_TIMEOUT", group: groupHTTP, initial: "30s", form: "a duration from 1s to 10m",
		doc: "How long answering a request may take, its statements included; then it is answered with 504.",
		set: duration(func(c *Config) *time.Duration { return &c.HTTP.RequestTimeout }, time.Second, 10*time.Minute)},
	{variable: "STOA_IDLE_TIMEOUT", group: groupHTTP, initial: "75s", form: "a duration from 1s to 1h",
		doc: "How long an idle connection is kept. Longer than the proxy in front keeps it, so that it never uses one that was just closed.",
		set: duration(func(c *Config) *time.Duration { return &c.HTTP.IdleTimeout }, time.Second, time.Hour)},
	{variable: "STOA_MAX_BODY", group: groupHTTP, initial: "1MB", form: "a size from 1KB to 1GB, such as 512KB or 1MB",
		doc: "The largest body of an ordinary request.",
		set: size(func(c *Config) *int64 { return &c.HTTP.MaxBody })},
	{variable: "STOA_MAX_UPLOAD", group: groupHTTP, initial: "32MB", form: "a size from 1KB to 1GB, such as 32MB",
		doc: "The largest body of a request that uploads a file.",
		set: size(func(c *Config) *int64 { return &c.HTTP.MaxUpload })},
	{variable: "STOA_DRAIN_DELAY", group: groupHTTP, initial: "0s", form: "a duration from 0s to 5m", byEnvironment: outside("5s"),
		doc: "How long, at shutdown, requests are still taken after readiness is withdrawn, so that balancers notice first.",
		set: duration(func(c *Config) *time.Duration { return &c.HTTP.DrainDelay }, 0, 5*time.Minute)},
	{variable: "STOA_DRAIN_TIMEOUT", group: groupHTTP, initial: "25s", form: "a duration from 1s to 10m",
		doc: "How long, at shutdown, what is under way may take to finish.",
		set: duration(func(c *Config) *time.Duration { return &c.HTTP.DrainTimeout }, time.Second, 10*time.Minute)},

	{variable: "STOA_DOMAINS_ADDRESSES", group: groupDomains, form: "addresses, separated by commas, such as 203.0.113.7,2001:db8::7",
		doc: "The public addresses of Nginx, which merchants' own domains have to lead to. Empty takes none, but in development names below .localhost.",
		set: addresses},
	{variable: "STOA_DOMAINS_TARGET", group: groupDomains, form: "a host name, such as shops.example",
		doc: "The host at these addresses that merchants make their subdomains aliases of. Unless set: STOA_BASE_DOMAIN.",
		set: optional(hostName(func(c *Config) *string { return &c.Domains.Target }))},
	{variable: "STOA_DNS_SERVER", group: groupDomains, form: "host:port, such as 192.0.2.53:53",
		doc: "The server of the domain name system that merchants' domains are looked up by. Empty asks those of this machine.",
		set: optional(listener(func(c *Config) *string { return &c.Domains.Server }))},
	{variable: "STOA_ACME_DIRECTORY", group: groupDomains, form: "https:// and a path, such as https://acme-v02.api.letsencrypt.org/directory",
		doc: "The directory of the certificate authority that certificates for merchants' domains are got from. Setting it agrees to its terms. Empty gets none: whatever stands in front sees to them.",
		set: address(func(c *Config) **url.URL { return &c.Domains.Authority }, "https")},
	{variable: "STOA_ACME_EMAIL", group: groupDomains, form: "an address, such as operations@shops.example",
		doc: "Where the certificate authority may write to.",
		set: optional(contact)},
	{variable: "STOA_CERTIFICATES_PER_HOUR", group: groupDomains, initial: "60", form: "a number from 1 to 10000",
		doc: "How many certificates are asked for in an hour, at most; what is beyond waits. Let's Encrypt allows 300 in three hours.",
		set: number(func(c *Config) *int { return &c.Domains.PerHour }, 1, 10000)},
	{variable: "STOA_CERTIFICATES_DIR", group: groupDomains, form: "a folder",
		doc: "Where this process keeps the certificates of merchants' domains for an Nginx on the same machine: a folder for nothing else, best in memory, that Nginx's group may read. Empty keeps none.",
		set: folder(func(c *Config) *string { return &c.Domains.Folder })},

	{variable: "STOA_DATABASE_URL", group: groupDatabase, form: "postgres://user:password@host:port/database", secret: true,
		doc: "The control database, as its owner. Empty, stoa dev starts one of its own; all else refuses.",
		set: secretURL(func(c *Config) secretRef { return &c.Database.URL }, "postgres", "postgresql")},
	{variable: "STOA_DATABASE_CONNECTIONS", group: groupDatabase, initial: "8", form: "a number from 2 to 500",
		doc: "Connections to the control database.",
		set: number(func(c *Config) *int { return &c.Database.Connections }, 2, 500)},
	{variable: "STOA_CELLS", group: groupDatabase, form: "name=postgres://…, separated by commas; a name is up to 16 lower-case letters and digits", secret: true,
		doc: "The databases that hold stores, each as its administrator, who may make roles. Empty: one cell, main, in the control database. A name is for ever: stores are found by it.",
		set: cells},
	{variable: "STOA_CELL_LOGINS", group: groupDatabase, initial: "8", form: "a number from 1 to 256",
		doc: "Logins of each cell that its stores are spread over; enough that each serves at most 300 schemas.",
		set: number(func(c *Config) *int { return &c.Database.CellLogins }, 1, 256)},
	{variable: "STOA_CELL_CONNECTIONS", group: groupDatabase, initial: "4", form: "a number from 1 to 100",
		doc: "Connections of each login of each cell.",
		set: number(func(c *Config) *int { return &c.Database.CellConnections }, 1, 100)},
	{variable: "STOA_CELL_MAX_STORES", group: groupDatabase, initial: "1000", form: "a number from 1 to 10000",
		doc: "How many stores a cell takes, sandboxes counted as stores.",
		set: number(func(c *Config) *int { return &c.Database.CellMaxStores }, 1, 10000)},
	{variable: "STOA_CELL_MAX_BYTES", group: groupDatabase, form: "a size, such as 500GB, or several, such as main=500GB,west=2TB",
		doc: "How large the database of a cell may become: what its server's disk leaves to it. It is for the forecast of when the cell is full, which without it is by stores and connections alone.",
		set: cellBytes},
	{variable: "STOA_READY_STORES", group: groupDatabase, initial: "3", form: "a number from 0 to 100",
		doc: "Empty schemas kept ready in each cell, so that sign-up does not wait for one.",
		set: number(func(c *Config) *int { return &c.Database.ReadyStores }, 0, 100)},

	{variable: "STOA_REDIS_URL", group: groupRedis, form: "redis://:password@host:port/0, or rediss:// for TLS", secret: true,
		doc: "Redis, for limits, staff sessions and revocations. Empty, stoa dev starts one of its own; all else refuses.",
		set: secretURL(func(c *Config) secretRef { return &c.Redis.URL }, "redis", "rediss")},
	{variable: "STOA_FILES_DIR", group: groupRedis, form: "a folder",
		doc: "Uploaded files, shared by all replicas. Unless set: files in STOA_DATA_DIR.",
		set: folder(func(c *Config) *string { return &c.Files.Dir })},
	{variable: "STOA_FILES_URL", group: groupRedis, form: "s3://access-key:secret@host/bucket/prefix?region=eu-central-1, or s3+http:// without TLS", secret: true,
		doc: "A bucket of a service that speaks S3's protocol, in place of the folder. It stays private: files are served by the program.",
		set: secretURL(func(c *Config) secretRef { return &c.Files.URL }, "s3", "s3+http")},
	{variable: "STOA_FONTS_DIR", group: groupRedis, initial: "/usr/share/fonts", form: "a folder",
		doc: "Fonts for invoices and the like, in scripts beyond Latin, Greek, Cyrillic, Arabic and Japanese, which the program brings along. Debian's fonts-noto-core has nearly all others, fonts-noto-cjk Chinese and Korean.",
		set: folder(func(c *Config) *string { return &c.Files.Fonts })},
	{variable: "STOA_SMTP_URL", group: groupRedis, form: "smtp://user:password@host:port (STARTTLS) or smtps:// (TLS)", secret: true,
		doc: "The mail server. Empty keeps mail in the mailbox page (not in production).",
		set: secretURL(func(c *Config) secretRef { return &c.Mail.SMTP }, "smtp", "smtps")},
	{variable: "STOA_MAIL_FROM", group: groupRedis, initial: "Stoa <no-reply@localhost>", form: "an address, such as Stoa <no-reply@shops.example>",
		doc: "The sender of the platform's mails.",
		set: mailAddress},
	{variable: "STOA_MAILBOX", group: groupRedis, initial: "true", form: "true or false", byEnvironment: outside("false"),
		doc: "Shows all mail on a page, to anyone who can open it.",
		set: boolean(func(c *Config) *bool { return &c.Mail.Mailbox })},

	{variable: "STOA_SECRET_KEYS", group: groupSecurity, form: "id:base64 of 32 random bytes, separated by commas, the newest first (stoa secrets new-key makes one)", secret: true,
		doc: "The keys that secrets at rest are sealed with. The first seals, all open. In development one is made and kept in STOA_DATA_DIR.",
		set: keyRing},
	{variable: "STOA_BCRYPT_COST", group: groupSecurity, initial: "11", form: "a number from 4 to 16",
		doc: "The work of hashing a password; each step doubles it. Raised, it applies to each account at its next sign-in.",
		set: number(func(c *Config) *int { return &c.Security.BcryptCost }, 4, 16)},
	{variable: "STOA_WEBHOOK_ALLOW_HTTP", group: groupSecurity, initial: "true", form: "true or false", byEnvironment: outside("false"),
		doc: "Lets webhooks go to plain HTTP and to private addresses.",
		set: boolean(func(c *Config) *bool { return &c.Security.WebhookAllowHTTP })},

	{variable: "STOA_STRIPE_SECRET_KEY", group: groupPayments, form: "sk_live_… or rk_live_…", secret: true,
		doc: "The platform's key with Stripe, for stores' connected accounts. Empty connects none.",
		set: stripeKeys(func(c *Config) secretRef { return &c.Stripe.Secret }, "sk_", "rk_")},
	{variable: "STOA_STRIPE_PUBLISHABLE_KEY", group: groupPayments, form: "pk_live_…",
		doc: "Its counterpart, which front ends are told that confirm payments themselves.",
		set: stripePublishable(func(c *Config) *string { return &c.Stripe.Publishable })},
	{variable: "STOA_STRIPE_TEST_SECRET_KEY", group: groupPayments, form: "sk_test_… or rk_test_…", secret: true,
		doc: "The same in Stripe's test mode, for sandboxes.",
		set: stripeKeys(func(c *Config) secretRef { return &c.Stripe.TestSecret }, "sk_test_", "rk_test_")},
	{variable: "STOA_STRIPE_TEST_PUBLISHABLE_KEY", group: groupPayments, form: "pk_test_…",
		doc: "Its counterpart.",
		set: stripePublishable(func(c *Config) *string { return &c.Stripe.TestPublishable })},
	{variable: "STOA_STRIPE_WEBHOOK_SECRETS", group: groupPayments, form: "whsec_…, separated by commas", secret: true,
		doc: "What Stripe signs the events of connected accounts with: of the live and of the test mode's webhook, and of those being rotated. They lead to /v1/payment-providers/stripe/events.",
		set: stripeKeys(func(c *Config) secretRef { return &c.Stripe.WebhookSecrets }, "whsec_")},
	{variable: "STOA_STRIPE_API_BASE", group: groupPayments, initial: "https://api.stripe.com", form: "http:// or https:// and a host",
		doc: "Where Stripe's API is. Another one is for tests.",
		set: address(func(c *Config) **url.URL { return &c.Stripe.APIBase }, "http", "https")},

	{variable: "STOA_WORKERS", group: groupWork, initial: "8", form: "a number from 1 to 1000",
		doc: "Jobs worked on at once, in each cell: so many quick ones, and as many that take long. Deliveries of webhooks, which mostly wait, are up to 512 beside them.",
		set: number(func(c *Config) *int { return &c.Jobs.Workers }, 1, 1000)},
	{variable: "STOA_WITH_WORKER", group: groupWork, initial: "false", form: "true or false",
		doc: "Makes `stoa serve` work on jobs too.",
		set: boolean(func(c *Config) *bool { return &c.Jobs.WithWorker })},

	{variable: "STOA_OPS_ADDR", group: groupSeeing, initial: "127.0.0.1:8081", form: "host:port, such as 127.0.0.1:8081",
		doc: "Where /healthz, /readyz, /metrics and profiles are served. Not for the public.",
		set: listener(func(c *Config) *string { return &c.Ops.Addr })},
	{variable: "STOA_LOG_LEVEL", group: groupSeeing, initial: "info", form: "debug, info, warn or error",
		doc: "The least that is logged.",
		set: oneOfText(func(c *Config) *slog.Level { return &c.Log.Level }, map[string]slog.Level{
			"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError})},
	{variable: "STOA_LOG_FORMAT", group: groupSeeing, initial: "text", form: "json or text", byEnvironment: outside("json"),
		doc: "How the log is written.",
		set: oneOf(func(c *Config) *string { return &c.Log.Format }, "json", "text")},
	{variable: "STOA_OTLP_ENDPOINT", group: groupSeeing, form: "http:// or https:// and a host, such as http://127.0.0.1:4318",
		doc: "Where OpenTelemetry traces go, by OTLP over HTTP. Empty traces nothing.",
		set: address(func(c *Config) **url.URL { return &c.Trace.Endpoint }, "http", "https")},
	{variable: "STOA_TRACE_RATIO", group: groupSeeing, initial: "0.05", form: "a share from 0 to 1",
		doc: "How many of the requests are traced. A caller who asks to be traced does not decide it.",
		set: share(func(c *Config) *float64 { return &c.Trace.Ratio })},
	{variable: "STOA_RESPONSE_SAMPLE", group: groupSeeing, initial: "1", form: "a share from 0 to 1", byEnvironment: outside("0.01"),
		doc: "How many of the API's answers are held against the contract; a difference shows in a metric.",
		set: share(func(c *Config) *float64 { return &c.API.ResponseSample })},
}, keepingOptions...)

// find is the option of a variable; it must be one of the table.
func find(variable string) *option {
	for i := range options {
		if options[i].variable == variable {
			return &options[i]
		}
	}
	panic(fmt.Sprintf("no option %s", variable))
}
