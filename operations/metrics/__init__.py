"""Figures for Prometheus, read from tables when it asks: whichever process answers, they agree.

``catalogue`` names them, ``readings`` reads them, ``exposition`` writes them down.
"""
