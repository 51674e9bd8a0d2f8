package app

import (
	"net/url"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/platform/secrets"
)

// maxSchemasPerLogin is how many schemas one login may serve: above that, entering a
// store after a grant elsewhere becomes slow.
const maxSchemasPerLogin = 300

// Validate holds the values against each other and against what the environment allows,
// and reports every fault at once as a *ConfigError.
func (c *Config) Validate() error {
	e := &ConfigError{}
	if n := ceil(c.Database.CellMaxStores, maxSchemasPerLogin); c.Database.CellLogins < n {
		e.add("STOA_CELL_LOGINS", "at least as many logins as keep each at 300 stores or fewer",
			"(%d) is too few for STOA_CELL_MAX_STORES (%d): at least %d", c.Database.CellLogins, c.Database.CellMaxStores, n)
	}
	if c.Database.URL.Empty() && len(c.Database.Cells) > 0 {
		e.add("STOA_DATABASE_URL", find("STOA_DATABASE_URL").form, "is empty while STOA_CELLS names databases")
	}
	if c.HTTP.MaxUpload < c.HTTP.MaxBody {
		e.add("STOA_MAX_UPLOAD", "a size at least that of STOA_MAX_BODY", "(%d bytes) is less than STOA_MAX_BODY (%d bytes)", c.HTTP.MaxUpload, c.HTTP.MaxBody)
	}
	if c.HTTP.Addr == c.Ops.Addr && !strings.HasSuffix(c.HTTP.Addr, ":0") {
		e.add("STOA_OPS_ADDR", "another port than STOA_HTTP_ADDR's", "(%q) is STOA_HTTP_ADDR too", c.Ops.Addr)
	}
	if u := c.Site.PublicURL; u != nil {
		if u.Path != "" {
			e.add("STOA_PUBLIC_URL", find("STOA_PUBLIC_URL").form, "(%q) has a path; the platform is served at the top", u)
		}
		if u.Hostname() != c.Site.BaseDomain {
			e.add("STOA_PUBLIC_URL", "the host of STOA_BASE_DOMAIN", "(%q) is not at STOA_BASE_DOMAIN (%q)", u, c.Site.BaseDomain)
		}
	}
	if c.Env == Staging || c.Env == Production {
		c.validateOutside(e)
	}
	if c.Env == Production {
		c.validateProduction(e)
	}
	if _, err := c.stanzasOf(); err != nil && !c.Database.URL.Empty() {
		e.add("STOA_BACKUP_STANZAS", find("STOA_BACKUP_STANZAS").form, "(%q) %s", c.Backup.Stanzas, err)
	}
	bounds, _ := parseCellBounds(c.Database.CellMaxBytes) // it was read before
	for _, b := range bounds {
		if b.named && !slices.Contains(c.databaseNames()[1:], b.cell) {
			e.add("STOA_CELL_MAX_BYTES", find("STOA_CELL_MAX_BYTES").form, "(%q) names %q, which is no cell", c.Database.CellMaxBytes, b.cell)
		}
	}
	return e.orNil()
}

// validateOutside is what staging and production ask alike, for both reach the world.
func (c *Config) validateOutside(e *ConfigError) {
	if c.Security.WebhookAllowHTTP {
		e.add("STOA_WEBHOOK_ALLOW_HTTP", "false", "is true, which would send events in the clear and into private networks; %s refuses that", c.Env)
	}
	if c.Security.BcryptCost < 10 {
		e.add("STOA_BCRYPT_COST", "10 or more", "(%d) makes passwords too cheap to guess for %s", c.Security.BcryptCost, c.Env)
	}
}

// validateProduction names everything that is only fit for trying out.
func (c *Config) validateProduction(e *ConfigError) {
	if c.Database.Embedded() {
		e.add("STOA_DATABASE_URL", find("STOA_DATABASE_URL").form, "is empty, which would start an embedded Postgres; production refuses that")
	}
	if c.Redis.Embedded() {
		e.add("STOA_REDIS_URL", find("STOA_REDIS_URL").form, "is empty, which would start an embedded Redis; production refuses that")
	}
	if c.Security.Keys.Empty() {
		e.add("STOA_SECRET_KEYS", find("STOA_SECRET_KEYS").form, "is empty, which would generate a key on this machine's disk; production refuses that")
	}
	refuseWellKnown(e, "STOA_DATABASE_URL", c.Database.URL)
	refuseWellKnown(e, "STOA_REDIS_URL", c.Redis.URL)
	refuseWellKnown(e, "STOA_SMTP_URL", c.Mail.SMTP)
	for _, cell := range c.Database.Cells {
		if !cell.URL.Equal(c.Database.URL.Reveal()) {
			refuseWellKnown(e, "STOA_CELLS", cell.URL)
		}
	}
	if c.Mail.Mailbox {
		e.add("STOA_MAILBOX", "false", "is true, which would show everyone's mail to anyone; production refuses that")
	}
	if c.Mail.SMTP.Empty() {
		e.add("STOA_SMTP_URL", find("STOA_SMTP_URL").form, "is empty, and no mail would ever arrive; production refuses that")
	}
	if strings.HasSuffix(c.Mail.From, "@localhost>") || strings.HasSuffix(c.Mail.From, "@localhost") {
		e.add("STOA_MAIL_FROM", "an address at a domain of yours", "(%q) is an address that nobody can answer; production refuses that", c.Mail.From)
	}
	if d := c.Site.BaseDomain; d == "localhost" || strings.HasSuffix(d, ".localhost") {
		e.add("STOA_BASE_DOMAIN", "a domain that shoppers can reach", "(%q) is this machine alone; production refuses that", d)
	}
	if u := c.Site.PublicURL; u != nil && u.Scheme != "https" {
		e.add("STOA_PUBLIC_URL", "an address that begins with https://", "(%q) is not https; production refuses that", u)
	}
}

// wellKnown are passwords that stand in examples and images, and so protect nothing.
var wellKnown = map[string]bool{
	"postgres": true, "password": true, "secret": true, "changeme": true, "change-me": true, "stoa": true,
	"admin": true, "root": true, "redis": true, "test": true, "example": true, "12345678": true,
}

// refuseWellKnown refuses an address whose password everybody knows.
func refuseWellKnown(e *ConfigError, variable string, address secrets.Redacted) {
	u, err := url.Parse(address.Reveal())
	if err != nil || u.User == nil {
		return
	}
	if password, set := u.User.Password(); set && wellKnown[strings.ToLower(password)] {
		e.add(variable, "a password of your own", "has a default password, which everybody knows; production refuses that")
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }
