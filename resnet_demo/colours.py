"""The two colours of every plot, map and page: blue for residual and for 'against', vermillion for plain and for 'for'.

They are Okabe and Ito's (2008), which colour-blind people can distinguish; lines also differ in style, and have labels.
"""

BLUE, VERMILLION = "#0072B2", "#D55E00"
OF_NETWORK = {True: BLUE, False: VERMILLION}
"""By `ModelConfig.residual`."""
