package app

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/stoacommerce/stoa/platform/certificates"
	"github.com/stoacommerce/stoa/tenants/domains"
)

// openDomains joins merchants' own domains with the certificate authority, where there is one.
func openDomains(m *machinery, s *services) (*domains.Service, error) {
	c := m.config.Domains
	config := domains.Config{
		DB: m.db, Stores: s.stores, Bus: m.bus, Sealer: m.ring, Pepper: s.pepper.Derive("domains"), Log: m.log,
		BaseDomain: m.config.Site.BaseDomain, Target: c.Target, Addresses: c.Addresses, Resolver: c.Resolver(), Local: m.config.Env == Development,
		PerHour: c.PerHour, Limit: func(plan string) *int { return s.plans.Get(plan).Domains }, Site: m.config.Site.PublicURL,
		Certified: m.metrics.Domains.Certified,
	}
	if c.Authority != nil {
		// Each directory has an account of its own, whose key all replicas know.
		seed := s.pepper.Derive("acme").HMAC(c.Authority.String())
		var err error
		if config.Authority, err = certificates.Open(c.Authority.String(), c.Email, seed, nil); err != nil {
			return nil, err
		}
	}
	return domains.New(config), nil
}

// layDown keeps certificates for an Nginx on this machine, where that is configured.
func (a *App) layDown(ctx context.Context, group *errgroup.Group) error {
	if a.config.Domains.Folder == "" {
		return nil
	}
	folder, err := certificates.OpenFolder(a.config.Domains.Folder)
	if err != nil {
		return err
	}
	group.Go(func() error {
		a.domains.LayDown(ctx, folder)
		return nil
	})
	return nil
}

// Certificates keeps the certificates of merchants' domains until ctx ends, and does nothing
// else: for machines on which there is only Nginx.
func Certificates(ctx context.Context, config Config, build Build, term Terminal) error {
	if err := notEmbedded(config); err != nil {
		return err
	}
	if config.Domains.Folder == "" {
		return &ConfigError{Faults: []ConfigFault{{"STOA_CERTIFICATES_DIR", "is empty", find("STOA_CERTIFICATES_DIR").form}}}
	}
	return start(ctx, config, build, term.Err, Roles{})
}
