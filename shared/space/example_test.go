package space_test

import (
	"fmt"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/space"
)

func ExampleSpace_Narrow() {
	whole, err := space.Parse("configs/space.yaml", configs.Space)
	if err != nil {
		fmt.Println(err)
		return
	}
	high := 256.0
	narrow, err := whole.Narrow(space.Constraints{
		"optim.name":     {Choices: []space.Value{space.String("adamw"), space.String("lion")}},
		"tok.max_length": {High: &high},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"optim.name", "tok.max_length"} {
		p, _ := narrow.Param(name)
		fmt.Printf("%s: %s\n", name, p.Allowed())
	}
	_, err = whole.Narrow(space.Constraints{"optim.name": {Fix: space.String("sgd")}})
	fmt.Println(err)
	// Output:
	// optim.name: adamw, lion
	// tok.max_length: a whole number from 128 to 256 in steps of 64
	// optim.name: "sgd" is not allowed; allowed: adamw, adam, adafactor, lion, lamb, adamw_8bit
}
