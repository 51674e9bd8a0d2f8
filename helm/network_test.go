package helm_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// end is one end of a connection: a pod in a namespace, or an address outside.
type end struct {
	labels    map[string]string
	namespace string
	address   string
	ports     []corev1.ContainerPort
}

func (e end) pod() bool { return e.labels != nil }

func matches(t *testing.T, s *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(set))
}

// peered says whether an end is one of the peers of a rule; none are all.
func peered(t *testing.T, peers []networkingv1.NetworkPolicyPeer, e end) bool {
	t.Helper()
	for _, p := range peers {
		if p.IPBlock != nil {
			if e.address == "" {
				continue
			}
			inside := netip.MustParsePrefix(p.IPBlock.CIDR).Contains(netip.MustParseAddr(e.address))
			for _, except := range p.IPBlock.Except {
				inside = inside && !netip.MustParsePrefix(except).Contains(netip.MustParseAddr(e.address))
			}
			if inside {
				return true
			}
			continue
		}
		home := p.NamespaceSelector == nil && e.namespace == "stoa" ||
			p.NamespaceSelector != nil && matches(t, p.NamespaceSelector, map[string]string{"kubernetes.io/metadata.name": e.namespace})
		if e.pod() && home && (p.PodSelector == nil || matches(t, p.PodSelector, e.labels)) {
			return true
		}
	}
	return len(peers) == 0
}

// ported says whether a rule is of a port, which a name means by the pod that is called.
func ported(ports []networkingv1.NetworkPolicyPort, to end, port int32) bool {
	for _, p := range ports {
		first, last := p.Port.IntVal, p.Port.IntVal
		for _, named := range to.ports {
			if p.Port.StrVal != "" && named.Name == p.Port.StrVal {
				first, last = named.ContainerPort, named.ContainerPort
			}
		}
		if p.EndPort != nil {
			last = *p.EndPort
		}
		if first <= port && port <= last {
			return true
		}
	}
	return len(ports) == 0
}

// allowed says whether the policies let a pod call another, or an address, at a port.
func allowed(t *testing.T, policies []*networkingv1.NetworkPolicy, from, to end, port int32) bool {
	t.Helper()
	leaves, enters := true, true
	for _, p := range policies {
		if from.pod() && from.namespace == "stoa" && matches(t, &p.Spec.PodSelector, from.labels) {
			leaves = false
		}
		if to.pod() && to.namespace == "stoa" && matches(t, &p.Spec.PodSelector, to.labels) {
			enters = false
		}
	}
	for _, p := range policies {
		if from.pod() && matches(t, &p.Spec.PodSelector, from.labels) {
			for _, rule := range p.Spec.Egress {
				leaves = leaves || peered(t, rule.To, to) && ported(rule.Ports, to, port)
			}
		}
		if to.pod() && matches(t, &p.Spec.PodSelector, to.labels) {
			for _, rule := range p.Spec.Ingress {
				enters = enters || peered(t, rule.From, from) && ported(rule.Ports, to, port)
			}
		}
	}
	return leaves && enters
}

// TestWhoMaySpeakToWhom has policies judged as a cluster would, for what the program does and for what it must not.
func TestWhoMaySpeakToWhom(t *testing.T) {
	bundled := values("file: values-staging.yaml\n---\n{domains: {addresses: [203.0.113.7]}}")
	policies := of[*networkingv1.NetworkPolicy](t, bundled)
	ends := map[string]end{
		"postgres":   {labels: map[string]string{"cnpg.io/cluster": "stoa-postgres"}, namespace: "stoa"},
		"neighbour":  {labels: map[string]string{"app": "other"}, namespace: "stoa"},
		"stranger":   {labels: map[string]string{"app.kubernetes.io/component": "nginx", "app.kubernetes.io/name": "stoa", "app.kubernetes.io/instance": "stoa"}, namespace: "elsewhere"},
		"prometheus": {labels: map[string]string{"app": "prometheus"}, namespace: "monitoring"},
		"operator":   {labels: map[string]string{"app": "cnpg"}, namespace: "cnpg-system"},
		"dns":        {labels: map[string]string{"k8s-app": "kube-dns"}, namespace: "kube-system"},
		"shopper":    {address: "198.51.100.9"},
		"internet":   {address: "93.184.216.34"},
		"internet 6": {address: "2606:2800:220:1::1"},
		"metadata":   {address: "169.254.169.254"},
		"private":    {address: "10.1.2.3"},
	}
	for component, pod := range pods(t, bundled) {
		e := end{labels: pod.Labels, namespace: "stoa"}
		for _, c := range pod.Spec.Containers {
			e.ports = append(e.ports, c.Ports...)
		}
		ends[component] = e
	}
	may := map[string]bool{}
	for _, way := range []string{
		"shopper nginx 8080", "shopper nginx 8443", "nginx api 8080", "test api 8080", "test api 8081",
		"prometheus api 8081", "prometheus worker 8081", "prometheus nginx 8081", "prometheus postgres 9187",
		"api postgres 5432", "worker postgres 5432", "migrate postgres 5432", "nginx postgres 5432", "postgres postgres 5432", "postgres postgres 8000",
		"api redis 6379", "worker redis 6379", "migrate redis 6379", "nginx redis 6379",
		"operator postgres 8000", "operator postgres 5432",
	} {
		may[way] = true
	}
	ours := []string{"api", "worker", "migrate", "nginx", "test", "redis", "postgres"}
	world := []string{"shopper", "internet", "internet 6"}
	for from := range ends {
		for to := range ends {
			for _, port := range []int32{25, 53, 80, 443, 587, 5432, 6379, 8000, 8080, 8081, 8443, 9187} {
				if from == to && from != "postgres" || !slices.Contains(ours, from) && !slices.Contains(ours, to) {
					continue
				}
				way := fmt.Sprintf("%s %s %d", from, to, port)
				ours := slices.Contains(ours, to)
				want := may[way] ||
					to == "dns" && port == 53 && from != "redis" ||
					to == "nginx" && (port == 8080 || port == 8443) && (ends[from].namespace != "stoa" || from == "neighbour") || // from everywhere outside
					from == "postgres" && port == 443 && !ours || // Kubernetes, and the bucket of the backups
					(from == "api" || from == "worker") && slices.Contains(world, to) && (port == 80 || port == 443 || port == 587 || port > 1023)
				if got := allowed(t, policies, ends[from], ends[to], port); got != want {
					t.Errorf("%s: %v, want %v", way, got, want)
				}
			}
		}
	}
}

// TestDatabasesOutsideAreReachedWhereTheyAre tries addresses in and beside the networks that are named.
func TestDatabasesOutsideAreReachedWhereTheyAre(t *testing.T) {
	v := least + "\n---\n{postgres: {external: {networks: [10.20.0.0/16]}}, redis: {external: {networks: [10.30.0.0/16], port: 6380}}}"
	policies := of[*networkingv1.NetworkPolicy](t, v)
	for component, pod := range pods(t, v) {
		from := end{labels: pod.Labels, namespace: "stoa"}
		for _, to := range []struct {
			address string
			port    int32
			want    bool
		}{{"10.20.1.1", 5432, true}, {"10.20.1.1", 5433, false}, {"10.21.1.1", 5432, false}, {"10.30.1.1", 6380, true}, {"10.30.1.1", 6379, false}} {
			want := to.want && component != "nginx" && component != "test"
			if got := allowed(t, policies, from, end{address: to.address}, to.port); got != want {
				t.Errorf("%s to %s:%d: %v", component, to.address, to.port, got)
			}
		}
	}
}
