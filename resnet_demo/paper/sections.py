"""The paper in our own words, section by section, as data. No torch here."""

from __future__ import annotations

from resnet_demo.paper.statements import Link, Section, Statement

PLAIN, RESIDUAL = "plain20-cifar10", "resnet20-cifar10"
DEEP = {"model": "plain56-cifar10", "second": "resnet56-cifar10"}
BLOCKS, NETWORKS = "tests/model/test_blocks.py::", "tests/model/test_resnet.py::"
RECIPE = "tests/test_recipes.py::test_the_papers_recipe_is_section_4_2"
AUGMENTATION = "tests/data/test_augment.py::"

_DEGRADATION = Link("Train 20 and 56 layers side by side", "lab", preset="Degradation: 20 against 56")
_VERY_DEEP = Link("Train 110 layers, plain and residual", "lab", preset="Very deep: 110")
_ONE_MINUTE = Link("Watch plain-32 and residual-32 part, in a minute", "lab", preset="One minute: depth 32")
_TWO_MODELS = Link("Measure plain-20 against ResNet-20", "evaluate", {"model": PLAIN, "second": RESIDUAL, "data": "bundled"})
DEEP_MODELS = Link("Measure plain-56 against ResNet-56", "evaluate", {**DEEP, "data": "bundled"})
_BLOCKS = Link("See the blocks of each network, their parameters and multiply-adds", "paper", anchor="architecture")
_WHERE = Link("See where ResNet-101 looks", "classify", {"model": "timm/resnet101.tv_in1k", "picture": "chelsea"})

SECTIONS: tuple[Section, ...] = (
    Section(
        "degradation", "Degradation: deeper, and worse", "section 1; Figure 1; section 4.1, Table 2",
        (
            Statement(
                "A deeper network can always do what a shallower one does: let its first layers be the shallower network, and let "
                "the others pass their input on. So more layers should never make the training error higher.",
                ("tests/paper/test_statements.py::test_a_deeper_plain_network_can_compute_what_a_shallower_one_does",),
                (Link("Compare two depths of your own choice", "lab", settings={"depth": 20, "other_depth": 32}),),
            ),
            Statement(
                "Yet it becomes higher. On ImageNet, with 18 layers 27.94 % of the validation images are wrong, with 34 layers "
                "28.54 %. The paper calls this degradation.",
                ("Table 2: plain, 18 layers", "Table 2: plain, 34 layers"), (_DEGRADATION,),
            ),
            Statement(
                "It is not overfitting: the deeper network is worse on the images that it trains on. In the Lab's preset, the "
                "training loss of plain-20 ends at 1.27, that of plain-56 at 2.18.",
                ("log: depths 20 and 56, 600 steps, warm-up 40",), (_DEGRADATION,),
            ),
            Statement(
                "Two networks of 56 layers ship with this project, trained alike for 22 % of the paper's iterations: the plain one is "
                "wrong on 27.72 % of CIFAR-10's test images, the residual one on 7.14 %.",
                ("log: plain-56 27.72 %, ResNet-56 7.14 %",), (DEEP_MODELS,),
            ),
            Statement(
                "At 110 layers the plain network hardly learns. The paper's is wrong on more than 60 % of the test images of "
                "CIFAR-10, and Figure 6 leaves it out; in the Lab's preset it stays where guessing is, at 90 %.",
                ("fact: plain-110", "log: depth 110, 600 steps, warm-up 60"), (_VERY_DEEP,),
            ),
            Statement(
                "Why this happens the paper leaves open. It rules out vanishing signals and gradients, because batch normalization "
                "keeps them alive, and supposes that the optimizer would need far too long.",
                ("fact: not gradients",), (Link("Look for reasons inside networks", "inside"),),
            ),
        ),
        tables=(2,),
    ),
    Section(
        "residual", "Residual learning: F(x) + x", "section 3.1; section 3.2, equation (1)",
        (
            Statement(
                "A few stacked layers compute F(x). A plain network passes on relu(F(x)). A residual network adds what came in, and "
                "passes on relu(F(x) + x): its layers only learn how the output should differ from the input.",
                (BLOCKS + "test_a_basic_block_computes_what_equation_1_says",), (_ONE_MINUTE,),
            ),
            Statement(
                "To pass the input on, a residual block only needs F(x) = 0. A plain block has to build the identity out of "
                "convolutions and relu.",
                (BLOCKS + "test_a_residual_block_whose_layers_say_nothing_passes_its_input_on",),
                (Link("Take a block out of a trained network", "inside"),),
            ),
            Statement(
                "The addition is the whole difference. With shortcuts of option A the two networks have the same parameters under "
                "the same names, and here they start from the same weights and see the same batches.",
                (
                    NETWORKS + "test_a_plain_net_has_its_residual_twins_keys_and_initial_weights",
                    "tests/training/test_loop.py::test_both_arms_of_a_seed_see_byte_identical_augmented_batches",
                ),
                (_ONE_MINUTE,),
            ),
            Statement(
                "With the addition, depth pays: of the residual networks on ImageNet, the one of 18 layers is wrong on 27.88 %, the "
                "one of 34 layers on 25.03 %.",
                ("Table 2: ResNet, 18 layers", "Table 2: ResNet, 34 layers"), (_TWO_MODELS,),
            ),
        ),
        figure="architecture",
    ),
    Section(
        "shortcuts", "Shortcuts: options A, B and C", "section 3.2, equation (2); section 3.3; section 4.1, Table 3",
        (
            Statement(
                "Inside a stage, x and F(x) have the same shape, and the shortcut is the identity. Between stages the map is halved "
                "and the channels are doubled, so x has to be brought to the shape of F(x).",
                (NETWORKS + "test_maps_have_the_sizes_of_table_1_and_section_4_2",),
                (Link("See the blocks of each stage in the Lab", "lab", settings={}),),
            ),
            Statement(
                "Option A takes every second pixel and fills the new channels with zeros. It has no parameters.",
                (
                    BLOCKS + "test_option_a_takes_every_second_position_and_adds_channels_of_zeros",
                    NETWORKS + "test_option_a_costs_an_imagenet_net_no_parameters",
                ),
                (Link("Train with option A", "lab", settings={"depth": 20}),),
            ),
            Statement(
                "Option B projects x by a 1×1 convolution with stride 2, which is learned.",
                (BLOCKS + "test_option_b_projects_by_a_strided_1x1_convolution",),
                (Link("Train with option B", "lab", settings={"depth": 20, "shortcut": "B"}),),
            ),
            Statement(
                "Option C makes every shortcut such a projection. The paper drops it after one table, and this project does not "
                "build it.",
                ("fact: option C",),
                (Link("Train with option B, which projects between stages only", "lab", settings={"depth": 20, "shortcut": "B"}),),
            ),
            Statement(
                "The options differ little, 25.03, 24.52 and 24.19 % at 34 layers, and all are far from the plain network's 28.54 %. "
                "So the addition is what helps, not the projection.",
                ("Table 3: ResNet-34 A", "Table 3: ResNet-34 B", "Table 3: ResNet-34 C", "Table 3: plain-34"),
                (
                    Link("Plain against residual with option A", "lab", settings={"depth": 32}),
                    Link("Plain against residual with option B", "lab", settings={"depth": 32, "shortcut": "B"}),
                ),
            ),
        ),
        tables=(3,),
    ),
    Section(
        "bottlenecks", "Bottlenecks, and the networks of Table 1", "section 3.3, Table 1; section 4.1, Figure 5; Tables 4 and 5",
        (
            Statement(
                "A bottleneck has three layers: a 1×1 convolution reduces the channels, a 3×3 convolution works on few, and a 1×1 "
                "convolution restores four times as many.",
                (BLOCKS + "test_a_bottleneck_reduces_works_and_restores",),
                (Link("See the maps of ResNet-50's stages", "classify", {"model": "timm/resnet50.tv_in1k", "picture": "coffee"}),),
            ),
            Statement(
                "It costs about what a basic block costs: 69,632 weights for 256 channels, where a basic block of 64 channels has "
                "73,728.",
                ("tests/paper/test_statements.py::test_a_bottleneck_for_256_channels_weighs_about_what_a_basic_block_for_64_does",),
                (_BLOCKS,),
            ),
            Statement(
                "So 50, 101 and 152 layers become affordable, and the error goes on falling: 22.85, 21.75 and 21.43 %.",
                ("Table 3: ResNet-50", "Table 3: ResNet-101", "Table 3: ResNet-152"),
                (Link("Classify a photograph", "classify", {"model": "timm/resnet50.tv_in1k", "picture": "chelsea"}),),
            ),
            Statement(
                "The paper strides in a bottleneck's first 1×1 layer; torchvision and most published weights stride in its 3×3 "
                "layer, which costs more: 4.09 billion multiply-adds instead of 3.86 for ResNet-50.",
                (
                    BLOCKS + "test_a_bottleneck_strides_where_it_is_told_to",
                    "tests/paper/test_shapes.py::test_both_conventions_of_counting_are_named",
                ),
                (_BLOCKS,),
            ),
            Statement(
                "The best single network of 152 layers reaches 4.49 % top-5 error, an ensemble of six networks 3.57 %, which won "
                "ILSVRC 2015. The first number is of validation images, the second of test images: they do not compare.",
                ("Table 4: ResNet-152", "Table 5: ResNet (ILSVRC'15)", "fact: ensemble"),
                (Link("Classify a photograph with ResNet-152", "classify", {"model": "timm/resnet152.tv_in1k", "picture": "chelsea"}),),
            ),
        ),
        tables=(1, 4, 5),
    ),
    Section(
        "training", "How the networks are trained", "section 3.4; section 4.2",
        (
            Statement(
                "Batch normalization follows each convolution, before relu; there is no dropout. Convolutions start with random "
                "weights of variance 2 divided by the inputs of a unit.",
                (
                    BLOCKS + "test_a_hook_sees_the_values_before_the_activation_and_they_stay_so",
                    NETWORKS + "test_convolutions_start_with_variance_2_over_fan_in", "fact: dropout",
                ),
                (Link("Train without batch normalization", "lab", preset="Without batch norm"),),
            ),
            Statement(
                "On CIFAR-10: stochastic gradient descent with momentum 0.9 and weight decay 0.0001, in batches of 128. The learning "
                "rate is 0.1, a tenth of that from iteration 32,000 on and a hundredth from 48,000 on; training ends at 64,000. The "
                "paper chose this on 5,000 held-out images.",
                (
                    RECIPE, "tests/test_recipes.py::test_the_paper_trains_on_8_192_000_pictures",
                    "tests/training/test_schedule.py::test_a_schedule_has_the_values_of_its_formula",
                ),
                (Link("Train by the paper's recipe", "lab", preset="The paper's recipe"),),
            ),
            Statement(
                "Each training image is padded by 4 pixels, cropped at random and mirrored at random; test images are used as they "
                "are.",
                (
                    AUGMENTATION + "test_padding_with_the_mean_leaves_the_picture_and_surrounds_it_by_the_mean_colour",
                    AUGMENTATION + "test_every_crop_is_a_window_of_its_own_picture_mirrored_or_not",
                ),
                (Link("Train with crops and mirror images", "lab", settings={"augment": True}),),
            ),
            Statement(
                "ResNet-110 needs a gentle start: learning rate 0.01 until the training error is below 80 %, about 400 iterations.",
                ("fact: low start", "tests/training/test_session.py::test_the_learning_rate_starts_low_where_a_recipe_asks_for_it"),
                (Link("Train 110 layers with a warm-up", "lab", preset="Very deep: 110"),),
            ),
            Statement(
                "The models that ship here were trained for fewer iterations and by other settings; the last column of Table 6 names "
                "each difference.",
                (
                    "tests/results/test_shipped.py::test_every_model_that_ships_was_trained_for_fewer_iterations_than_the_papers",
                    "tests/results/test_shipped.py::test_what_a_card_says_differs_from_the_paper_is_what_its_command_trains",
                ),
                (_TWO_MODELS,),
            ),
        ),
    ),
    Section(
        "cifar", "CIFAR-10: very deep networks", "section 4.2, Table 6, Figure 6",
        (
            Statement(
                "The networks for CIFAR-10 are narrow: a 3×3 layer, three stages of 2n layers on maps of 32, 16 and 8 pixels a side "
                "with 16, 32 and 64 filters, and a classifier: 6n + 2 layers.",
                (
                    NETWORKS + "test_maps_have_the_sizes_of_table_1_and_section_4_2",
                    NETWORKS + "test_the_cifar_nets_have_the_parameters_of_a_sum_done_by_hand",
                    "tests/paper/test_statements.py::test_the_stages_of_a_cifar_network_have_these_sizes_and_filters",
                ),
                (Link("Choose a depth in the Lab", "lab", settings={}),),
            ),
            Statement(
                "Residual networks gain from depth: 8.75 % of the test images are wrong with 20 layers, 6.97 % with 56, 6.43 % with "
                "110 in the best of 5 runs.",
                ("Table 6: ResNet-20", "Table 6: ResNet-56", "Table 6: ResNet-110"),
                (_TWO_MODELS, DEEP_MODELS, Link("See where ResNet-20 looks", "classify", {"model": RESIDUAL, "picture": "cifar10-cat"})),
            ),
            Statement(
                "Depth alone is not everything. The network of 1202 layers trains to an error below 0.1 % and still ends at 7.93 %: "
                "19.4 million parameters are too many for 50,000 images.",
                ("fact: 1202", "Table 6: ResNet-1202", "tests/paper/test_statements.py::test_cifar_10_has_50_000_training_images"),
                (Link("Train on 4,000 images, and see training and test error part", "lab", settings={"depth": 20}),),
            ),
            Statement(
                "Of the plain networks the paper prints no numbers, it only draws them in Figure 6. What this project measured of "
                "them stands in the last lines of Table 6.",
                (
                    "tests/paper/test_tables.py::test_the_paper_prints_no_number_of_a_plain_cifar_network",
                    "tests/results/test_against_paper.py::test_a_model_appears_in_its_line_with_what_differs",
                ),
                (Link("Compare two models on one picture", "classify",
                      {"model": PLAIN, "second": RESIDUAL, "picture": "cifar10-cat"}),),
            ),
        ),
        tables=(6,), figure="figure 6",
    ),
    Section(
        "responses", "How strongly layers respond", "section 4.2, Figure 7",
        (
            Statement(
                "A layer's response is what it gives after its normalization, before relu or the addition. In a residual block this "
                "is F(x), so its standard deviation says how much the block changes what passes through.",
                (
                    "tests/training/test_diagnostics.py::test_responses_are_read_after_the_normalization_and_before_the_addition",
                    "tests/paper/test_layer_responses.py::test_a_response_is_what_a_layer_gives_after_its_normalization_and_before_relu"
                    "_or_the_addition",
                ),
                (Link("Watch responses during training", "lab", preset="Without batch norm"),),
            ),
            Statement(
                "The paper finds smaller responses in residual networks than in plain ones, and smaller ones the deeper they are: each "
                "block changes its input only a little.",
                ("fact: responses",), (Link("Look inside the networks", "inside"),),
            ),
        ),
        figure="figure 7",
    ),
    Section(
        "detection", "Beyond classification: detection", "section 4.3; Tables 7 and 8",
        (
            Statement(
                "A detector looks at pictures through a classification network. The paper takes one detector, Faster R-CNN, and "
                "replaces VGG-16 by ResNet-101, nothing else: on PASCAL VOC 2007 the mean average precision rises from 73.2 to 76.4 %.",
                ("Table 7: VGG-16", "Table 7: ResNet-101"),
                (_WHERE,),
            ),
            Statement(
                "On COCO, by its stricter metric, it rises from 21.2 to 27.2 %: 6.0 points, a relative improvement of 28 %.",
                ("Table 8: VGG-16", "Table 8: ResNet-101", "fact: coco"),
                (_WHERE,),
            ),
            Statement(
                "This project has no detector, so it measures nothing of this. The nearest that one can do here is to let a "
                "pretrained network look at pictures of one's own.",
                ("tests/results/test_against_paper.py::test_what_was_not_measured_is_said_and_what_was_counted_too",),
                (Link("Use a pretrained network for classes of your own", "transfer"),),
            ),
        ),
        tables=(7, 8),
    ),
)  # fmt: skip
