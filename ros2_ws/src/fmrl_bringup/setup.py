from glob import glob

from setuptools import setup

setup(
    name="fmrl_bringup",
    version="0.1.0",
    description="Launch files and parameters that start the graph of fmrl_robot",
    license="Apache-2.0",
    packages=[],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/fmrl_bringup"]),
        ("share/fmrl_bringup", ["package.xml"]),
        ("share/fmrl_bringup/launch", glob("launch/*.xml")),
        ("share/fmrl_bringup/config", glob("config/*.yaml")),
        ("share/fmrl_bringup/config/fastdds", glob("config/fastdds/*.xml")),
    ],
    zip_safe=True,
)
