package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(context map[string]any) (Settings, error) {
	return Read(func(key string) any { return context[key] }, "arm64")
}

func TestRead(t *testing.T) {
	standard := Settings{Name: "Supermax", Zones: 3, Instances: instances, MaxVCPUs: 256, Arch: "arm64", Retain: true}
	with := func(change func(*Settings)) Settings {
		s := standard
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		context map[string]any
		want    Settings
	}{
		"nothing": {nil, standard},
		"as text": {map[string]any{"name": "Test-1", "image": "1.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:ab", "network": "private", "zones": "2",
			"instances": "g5.xlarge, p5.48xlarge", "maxvcpus": "64", "arch": "amd64", "retain": "false", "budget": "12.5", "email": "a@b.c"},
			Settings{Name: "Test-1", Image: "1.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:ab", Private: true, Zones: 2,
				Instances: []string{"g5.xlarge", "p5.48xlarge"}, MaxVCPUs: 64, Arch: "amd64", Budget: 12.5, Email: "a@b.c"}},
		"as in cdk.json": {map[string]any{"retain": false, "budget": 100.0}, with(func(s *Settings) { s.Retain, s.Budget = false, 100 })},
		"a VPC": {map[string]any{"vpc": "vpc-01234567", "subnets": "subnet-01234567,subnet-89abcdef"},
			with(func(s *Settings) { s.VPC, s.Subnets = "vpc-01234567", []string{"subnet-01234567", "subnet-89abcdef"} })},
	} {
		got, err := read(c.context)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

func TestRefused(t *testing.T) {
	for key, c := range map[string]struct {
		value any
		want  string
	}{
		"name":      {"1st", `context name is "1st", allowed: a letter`},
		"image":     {"a b", `context image is "a b", allowed: an image's URI`},
		"vpc":       {"main", `context vpc is "main", allowed: vpc- and its identifier`},
		"subnets":   {"subnet-01234567;subnet-89abcdef", "separated by commas"},
		"network":   {"open", "allowed: public or private"},
		"zones":     {"2.5", "allowed: a whole number of 1 to 6"},
		"instances": {"g5", "allowed: instance types"},
		"maxvcpus":  {"100001", "allowed: a whole number of 4 to 100000"},
		"arch":      {"x86_64", "allowed: arm64 or amd64"},
		"retain":    {"no", "allowed: true or false"},
		"budget":    {"NaN", "allowed: a number of 0 to"},
		"email":     {[]any{"a@b.c"}, "it must be text, a number or a Boolean"},
	} {
		if _, err := read(map[string]any{key: c.value}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%v: %v, want %q", key, c.value, err, c.want)
		}
	}
	_, err := read(map[string]any{"vpc": "vpc-01234567", "network": "private", "arch": "arm"})
	for _, want := range []string{"vpc and subnets belong together", "leave it out with vpc", "context arch"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q too", err, want)
		}
	}
}
