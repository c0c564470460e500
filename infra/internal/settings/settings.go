// Package settings reads what a person may choose about the stack: the CDK context, given
// as -c key=value or in cdk.json.
package settings

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Settings is a deployment as it was asked for.
type Settings struct {
	Name      string   // of the top stack, and part of every physical name that we give
	Image     string   // the trainer's image; empty: built here, or pushed later
	VPC       string   // an existing VPC; empty: one of our own
	Subnets   []string // of the existing VPC
	Private   bool     // our VPC has no way to the internet, but interface endpoints that cost money
	Zones     int      // availability zones of our VPC
	Instances []string // GPU instance types, any of which may run a slot
	MaxVCPUs  int      // of each compute environment: what can run, and cost, at once
	Arch      string   // of the functions: arm64 or amd64
	Retain    bool     // the table, the buckets and the key outlive the stack
	Budget    float64  // dollars a month for the account; 0: no AWS budget
	Email     string   // gets the alarms; empty: nobody, until one subscribes
}

// instances is what a slot may run on by default: one GPU of 16 to 24 GB and at least the
// memory that the job definition asks for. Several families, because Spot capacity of one
// runs out.
var instances = []string{"g6.xlarge", "g6.2xlarge", "g5.xlarge", "g5.2xlarge", "g4dn.xlarge", "g4dn.2xlarge"}

// Read reads the settings. lookup returns a context value, or nil; hostArch is the
// functions' architecture where none is given. Every value that is not allowed is reported.
func Read(lookup func(key string) any, hostArch string) (Settings, error) {
	r := &reader{lookup: lookup}
	s := Settings{
		Name:      r.text("name", "Supermax", `[A-Za-z][A-Za-z0-9-]{0,39}`, "a letter, then up to 39 letters, digits and hyphens"),
		Image:     r.text("image", "", `[a-z0-9][A-Za-z0-9._:/@-]{0,255}`, "an image's URI, repository:tag or repository@digest"),
		VPC:       r.text("vpc", "", `vpc-[0-9a-f]{8,17}`, "vpc- and its identifier"),
		Subnets:   r.list("subnets", nil, `subnet-[0-9a-f]{8,17}`, "subnet-… separated by commas"),
		Private:   r.text("network", "public", `public|private`, "public or private") == "private",
		Zones:     r.count("zones", 3, 1, 6),
		Instances: r.list("instances", instances, `[a-z0-9-]{2,16}\.[a-z0-9-]{2,16}`, "instance types separated by commas, as g5.xlarge,g6.xlarge"),
		MaxVCPUs:  r.count("maxvcpus", 256, 4, 100_000),
		Arch:      r.text("arch", hostArch, `arm64|amd64`, "arm64 or amd64"),
		Retain:    r.text("retain", "true", `true|false`, "true or false") == "true",
		Budget:    r.number("budget", 0, 0, 1e9),
		Email:     r.text("email", "", `[^@\s]{1,64}@[^@\s]{1,255}`, "an e-mail address"),
	}
	if (s.VPC == "") != (len(s.Subnets) == 0) {
		r.errs = append(r.errs, errors.New("context vpc and subnets belong together: give both, or neither for a VPC of our own"))
	}
	if s.VPC != "" && s.Private {
		r.errs = append(r.errs, errors.New("context network=private is about a VPC of our own: leave it out with vpc"))
	}
	return s, errors.Join(r.errs...)
}

type reader struct {
	lookup func(string) any
	errs   []error
}

// raw returns a value as text: from the command line everything is text, from cdk.json it
// may be a number or a Boolean.
func (r *reader) raw(key string) string {
	switch v := r.lookup(key).(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		r.errs = append(r.errs, fmt.Errorf("context %s is %.80q, it must be text, a number or a Boolean", key, fmt.Sprint(v)))
		return ""
	}
}

func (r *reader) refuse(key, value, allowed string) {
	r.errs = append(r.errs, fmt.Errorf("context %s is %.80q, allowed: %s", key, value, allowed))
}

func (r *reader) text(key, otherwise, form, allowed string) string {
	v := r.raw(key)
	if v == "" {
		return otherwise
	}
	if !whole(form).MatchString(v) {
		r.refuse(key, v, allowed)
	}
	return v
}

func (r *reader) list(key string, otherwise []string, form, allowed string) []string {
	v := r.raw(key)
	if v == "" {
		return otherwise
	}
	items := strings.Split(v, ",")
	for i, item := range items {
		items[i] = strings.TrimSpace(item)
		if !whole(form).MatchString(items[i]) {
			r.refuse(key, v, allowed)
			break
		}
	}
	return items
}

func (r *reader) number(key string, otherwise, low, high float64) float64 {
	v := r.raw(key)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= low && n <= high) {
		r.refuse(key, v, fmt.Sprintf("a number of %v to %v", low, high))
		return otherwise
	}
	return n
}

func (r *reader) count(key string, otherwise, low, high int) int {
	v := r.raw(key)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		r.refuse(key, v, fmt.Sprintf("a whole number of %d to %d", low, high))
		return otherwise
	}
	return n
}

func whole(form string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + form + `)$`) }
