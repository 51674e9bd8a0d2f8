// Package billing knows the plans and what each store uses. Plans are data, in
// plans.yaml; they decide limits. Charging is not here yet.
package billing

import (
	_ "embed" // for plans.yaml
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed plans.yaml
var plansYAML []byte

// Free is the plan that a new store has.
const Free = "free"

// MostLogDays is the longest that the request log of any plan goes back.
const MostLogDays = 31

// Plan is what a store pays for. A nil limit does not exist.
type Plan struct {
	ID                string `yaml:"id"`
	Name              string `yaml:"name"`
	RequestsPerMinute int64  `yaml:"requests_per_minute"` // of each key
	RequestsPerDay    *int64 `yaml:"requests_per_day"`    // of the store
	Products          *int   `yaml:"products"`
	Staff             *int   `yaml:"staff"`
	Domains           *int   `yaml:"domains"`           // of its own, proven or not
	RequestLogDays    int    `yaml:"request_log_days"`  // for which each call is kept
	PictureMegabytes  *int   `yaml:"picture_megabytes"` // of each, as it is uploaded
}

// Plans are all plans, the smallest first.
type Plans struct {
	list []Plan
	byID map[string]Plan
}

// Load reads the plans.
func Load() (*Plans, error) {
	var list []Plan
	if err := yaml.Unmarshal(plansYAML, &list); err != nil {
		return nil, fmt.Errorf("plans.yaml: %w", err)
	}
	plans := &Plans{list: list, byID: map[string]Plan{}}
	for _, plan := range list {
		if plan.ID == "" || plan.Name == "" || plan.RequestsPerMinute <= 0 || plan.RequestLogDays <= 0 || plan.RequestLogDays > MostLogDays {
			return nil, fmt.Errorf("plans.yaml: plan %q lacks an id, a name, its requests a minute or the days of its request log", plan.ID)
		}
		plans.byID[plan.ID] = plan
	}
	if _, ok := plans.byID[Free]; !ok {
		return nil, fmt.Errorf("plans.yaml: there is no plan %q", Free)
	}
	return plans, nil
}

// All are the plans, the smallest first.
func (p *Plans) All() []Plan { return p.list }

// Get is the plan with this ID; an unknown one counts as free.
func (p *Plans) Get(id string) Plan {
	if plan, ok := p.byID[id]; ok {
		return plan
	}
	return p.byID[Free]
}
